/** Files and names: data, attributes, directories, exports. */
import "./cases/data.ts";
import "./cases/directories.ts";
import "./cases/questions.ts";

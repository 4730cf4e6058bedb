/** Files and names: data, attributes, directories, exports. */
import "./cases/attributes.ts";
import "./cases/data.ts";
import "./cases/directories.ts";
import "./cases/exports.ts";
import "./cases/questions.ts";

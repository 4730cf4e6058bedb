/** The part of the Dockerfile language that docker/Dockerfile uses. */

export interface Step {
  readonly instruction: "CMD" | "COPY" | "ENTRYPOINT" | "ENV" | "EXPOSE" | "RUN" | "VOLUME" | "WORKDIR";
  readonly argument: string;
}

export interface Stage {
  readonly image: string;
  readonly name: string | null;
  readonly steps: readonly Step[];
}

const INSTRUCTION = /^(CMD|COPY|ENTRYPOINT|ENV|EXPOSE|RUN|VOLUME|WORKDIR) (.+)$/;

/** Throws at what it does not know, so that no step is left out without a word. */
export function parseDockerfile(text: string): Stage[] {
  const stages: { image: string; name: string | null; steps: Step[] }[] = [];
  for (const line of text.replaceAll("\\\n", " ").split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const from = /^FROM (\S+)(?: AS (\S+))?$/.exec(line);
    if (from) {
      stages.push({ image: from[1] ?? "", name: from[2] ?? null, steps: [] });
      continue;
    }
    const [, instruction, argument = ""] = INSTRUCTION.exec(line) ?? [];
    const stage = stages.at(-1);
    if (instruction === undefined || !stage) throw new Error(`not understood: ${line}`);
    stage.steps.push({ instruction: instruction as Step["instruction"], argument });
  }
  return stages;
}

import { inFreshDirectory, type WorkloadContext } from "./context.ts";

/** A small C project built by make and gcc on the mount, and built again after a change: make trusts the times of files. */
export async function cBuild(ctx: WorkloadContext, options: { modules?: number } = {}): Promise<string> {
  const { modules = 30 } = options;
  return await inFreshDirectory(ctx, "c-build", async (directory) => {
    for (const [name, text] of Object.entries(project(modules)))
      await ctx.guest.writeFile(`${directory}/${name}`, text);
    return await ctx.guest.must(
      `cd '${directory}'
      make -s -j2 || fail build
      sum=$(./program) || fail "the program fails"
      [ "$sum" = ${sumOf(modules, 1)} ] || fail "the program says $sum, expected ${sumOf(modules, 1)}"
      make -q || fail "make finds work to do right after the build: $(make -n)"
      drop_caches
      make -q || fail "make finds work to do when it asks the server: $(make -n)"

      sed -i 's/STEP 1$/STEP 2/' module7.c
      [ $(make -n | grep -c -- ' -c ') = 1 ] || fail "after one change: $(make -n)"
      make -s -j2 || fail rebuild
      sum=$(./program)
      [ "$sum" = $((${sumOf(modules, 1)} + 1)) ] || fail "the changed program says $sum"
      touch common.h
      [ $(make -n | grep -c -- ' -c ') = ${modules + 1} ] || fail "after touching the header: $(make -n)"
      make -s clean || fail clean`,
      { timeoutMs: 180_000 },
    );
  });
}

/** What the program prints: the sum over its modules of number × step. All steps are the same here. */
function sumOf(modules: number, step: number): number {
  return Array.from({ length: modules }, (_, index) => index + step).reduce((sum, value) => sum + value, 0);
}

/** Sources by name. */
function project(modules: number): Record<string, string> {
  const numbers = Array.from({ length: modules }, (_, index) => index);
  const files: Record<string, string> = {
    "common.h": `#pragma once\n${numbers.map((n) => `long module${n}(void);`).join("\n")}\n`,
    "main.c": `#include <stdio.h>\n#include "common.h"\nint main(void) {\n  long sum = 0;\n${numbers
      .map((n) => `  sum += module${n}();`)
      .join("\n")}\n  printf("%ld\\n", sum);\n  return 0;\n}\n`,
    Makefile: `CFLAGS = -O1 -Wall -Werror
objects = main.o ${numbers.map((n) => `module${n}.o`).join(" ")}
program: libmodules.a main.o
\t$(CC) -o $@ main.o -L. -lmodules
libmodules.a: $(filter-out main.o, $(objects))
\t$(AR) rc $@ $^
$(objects): common.h
clean:
\trm -f program libmodules.a $(objects)
.PHONY: clean
`,
  };
  for (const n of numbers) {
    files[`module${n}.c`] = `#include "common.h"
#define STEP 1
static const int table[256] = { ${Array.from({ length: 256 }, (_, index) => (index * n) % 251).join(", ")} };
long module${n}(void) {
  volatile long sum = 0;
  for (int i = 0; i < 256; i++) sum += table[i];
  return ${n} + STEP + 0 * sum;
}
`;
  }
  return files;
}

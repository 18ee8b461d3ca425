import { generateJsonSchema } from "@proxy/config/schema";
import { generateTransformSchema } from "@proxy/pipeline/manual";
import type { Output } from "./command-line.ts";
import { exitCode } from "./exit-code.ts";
import type { ExitCode } from "./exit-code.ts";

/** Prints the JSON Schema of the configuration. */
export function schema(output: Output): Promise<ExitCode> {
  output.out(`${JSON.stringify(generateJsonSchema({ transform: generateTransformSchema() }), undefined, 2)}\n`);
  return Promise.resolve(exitCode.ok);
}

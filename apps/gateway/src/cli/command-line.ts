import { exitCode } from "./exit-code.ts";
import { parseInvocation, UsageError } from "./invocation.ts";
import type { Invocation } from "./invocation.ts";
import { usageText } from "./usage.ts";

/**
 * Does what the command line says and sets the exit code. Each command is loaded when it is asked for: the schema
 * library alone takes a fifth of a second.
 */
export async function runCommandLine(args: readonly string[]): Promise<void> {
  ignoreBrokenPipes();
  let invocation: Invocation;
  try {
    invocation = parseInvocation(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`gateway: ${error.message}\n\n${usageText(error.topic)}`);
    process.exitCode = exitCode.usage;
    return;
  }
  switch (invocation.command) {
    case "run": {
      const { run } = await import("./run.ts");
      run(invocation);
      return;
    }
    case "check": {
      const { check } = await import("./check.ts");
      process.exitCode = await check(invocation, consoleOutput);
      return;
    }
    case "routes": {
      const { routes } = await import("./routes.ts");
      process.exitCode = await routes(invocation, consoleOutput);
      return;
    }
    case "schema": {
      const { schema } = await import("./schema.ts");
      process.exitCode = await schema(consoleOutput);
      return;
    }
    case "dev-cert": {
      const { devCert } = await import("./dev-cert.ts");
      process.exitCode = await devCert(invocation, consoleOutput);
      return;
    }
    case "hash-key": {
      const { hashKey } = await import("./hash-key.ts");
      process.exitCode = await hashKey(invocation, process.stdin, consoleOutput);
      return;
    }
    case "help":
      process.stdout.write(usageText(invocation.topic));
      return;
    case "version": {
      const { packageVersion } = await import("../package-version.ts");
      process.stdout.write(`${packageVersion()}\n`);
    }
  }
}

/** Where a command writes. */
export interface Output {
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
}

const consoleOutput: Output = {
  out: (text) => void process.stdout.write(text),
  error: (text) => void process.stderr.write(text),
};

/** `gateway routes … | head` and a log collector that goes away are no reason to crash. */
function ignoreBrokenPipes(): void {
  process.stdout.on("error", () => {});
  process.stderr.on("error", () => {});
}

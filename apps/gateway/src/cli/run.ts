import * as NodeRuntime from "@effect/platform-node/NodeRuntime";
import * as Cause from "effect/Cause";
import type * as Exit from "effect/Exit";
import * as Layer from "effect/Layer";
import { FilesMissingError } from "../configuration/files-missing.ts";
import { gatewayLayer } from "../gateway.ts";
import { ListenUrlError, parseListenUrls } from "../listeners/listen-url.ts";
import type { ListenUrl } from "../listeners/listen-url.ts";
import { formatStartFailure } from "../logging/start-failure.ts";
import { exitAtSecondSignal } from "../second-signal.ts";
import { exitCode } from "./exit-code.ts";
import type { RunInvocation } from "./invocation.ts";
import { usageText } from "./usage.ts";

export interface RunOptions {
  /** Takes `Listening on http://…` for each address. Default: standard output. */
  readonly announce?: ((line: string) => void) | undefined;
  /** Default `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

/** Serves until a signal comes, then ends the process: 0 after a stop in order, 1 or 2 when the start failed. */
export function run(invocation: RunInvocation, options: RunOptions = {}): void {
  let addresses: readonly ListenUrl[] | undefined;
  try {
    addresses = invocation.urls === undefined ? undefined : parseListenUrls(invocation.urls);
  } catch (error) {
    if (!(error instanceof ListenUrlError)) throw error;
    process.stderr.write(`gateway: --urls: ${error.message}\n\n${usageText("run")}`);
    process.exitCode = exitCode.usage;
    return;
  }
  const logFormat = process.stderr.isTTY ? "text" : "json";
  const writeLog = (line: string): void => void process.stderr.write(line);
  const gateway = gatewayLayer({
    files: invocation.files,
    strict: invocation.strict,
    env: options.env ?? process.env,
    overrides: { addresses, logLevel: invocation.logLevel },
    logFormat,
    writeLog,
    announce: options.announce ?? ((line) => void process.stdout.write(line)),
  });
  const teardown = (exit: Exit.Exit<unknown, unknown>, done: (code: number) => void): void => {
    if (exit._tag === "Success" || Cause.hasInterruptsOnly(exit.cause)) return done(exitCode.ok);
    const failure = Cause.squash(exit.cause);
    writeLog(formatStartFailure(failure, logFormat, new Date()));
    done(failure instanceof FilesMissingError ? exitCode.usage : exitCode.failed);
  };
  NodeRuntime.runMain(Layer.launch(gateway.pipe(Layer.provide(exitAtSecondSignal))), {
    disableErrorReporting: true,
    teardown,
  });
}

import * as Context from "effect/Context";
import * as Data from "effect/Data";
import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import { callbackLog } from "../logging/callback-log.ts";
import { accessLogFormatter } from "./access-log-format.ts";
import type { AccessLogFormat } from "./access-log-format.ts";
import { LineWriter } from "./line-writer.ts";
import { MaskedParameters } from "./masked-parameters.ts";
import { recordRequests } from "./record-requests.ts";
import type { RequestRecorder } from "./record-requests.ts";

export interface AccessLogSettings {
  /** Undefined: standard error. */
  readonly file: string | undefined;
  readonly format: AccessLogFormat;
  /** Query parameters whose values are not written, beside those that hold secrets anyway. */
  readonly maskedParameters: readonly string[];
}

/** The access log's file cannot be written. */
export class AccessLogError extends Data.TaggedError("AccessLogError")<{ readonly file: string; readonly cause: unknown }> {
  override get message(): string {
    return `cannot write the access log ${this.file}: ${(this.cause as Error).message}`;
  }
}

/** What records requests; undefined when the log is off, so that being off costs nothing. */
export class AccessLog extends Context.Service<AccessLog, { readonly recorder: RequestRecorder | undefined }>()(
  "@proxy/gateway/AccessLog",
) {
  static readonly off: Layer.Layer<AccessLog> = Layer.succeed(AccessLog, { recorder: undefined });

  /** Writes until the scope closes; opens the file anew at SIGHUP, for log rotation. */
  static readonly layer = (settings: AccessLogSettings): Layer.Layer<AccessLog, AccessLogError> =>
    Layer.effect(
      AccessLog,
      Effect.gen(function* () {
        const log = yield* callbackLog;
        const writer = yield* Effect.acquireRelease(
          Effect.tryPromise({
            try: () => LineWriter.open({ file: settings.file, onFault: (message) => log("Warn", message) }),
            catch: (cause) => new AccessLogError({ file: settings.file ?? "(standard error)", cause }),
          }),
          (open) => Effect.promise(() => open.close()),
        );
        if (settings.file !== undefined) yield* reopenAtHangup(writer);
        const format = accessLogFormatter(settings.format);
        return AccessLog.of({ recorder: recordRequests((entry) => writer.add(format(entry)), new MaskedParameters(settings.maskedParameters)) });
      }),
    );
}

/** The signal that log rotation sends; without a file to open anew it keeps its meaning, the end. */
const reopenAtHangup = (writer: LineWriter) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const listener = (): void => writer.reopen();
      process.on("SIGHUP", listener);
      return listener;
    }),
    (listener) => Effect.sync(() => process.removeListener("SIGHUP", listener)),
  );

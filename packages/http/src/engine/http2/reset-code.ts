import { ClientGoneError } from "../../errors.ts";
import { errorCode } from "./frames.ts";

/** RFC 9113, 7: CANCEL when nobody wants the stream any more, INTERNAL_ERROR when what it needs has failed. */
export function resetCode(cause: Error): number {
  const { code } = cause as NodeJS.ErrnoException;
  const cancelled = cause instanceof ClientGoneError || (typeof code === "string" && code.endsWith("Canceled"));
  return cancelled ? errorCode.cancel : errorCode.internalError;
}

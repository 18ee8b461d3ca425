import { DestinationError, type DestinationErrorStep, type DestinationRequest } from "../../../destination-client.ts";
import { isIdempotent } from "../../client/engine-call.ts";
import type { Http2ClientConnection } from "./connection.ts";
import { resetFault } from "./stream-faults.ts";
import type { Http2Upload } from "./upload.ts";

/** How a stream was over before the end of its response. */
export interface Loss {
  readonly connection: Http2ClientConnection;
  /** The code that the destination reset it with; undefined: lost with its connection. */
  readonly code: number | undefined;
  /** The destination said that it has not looked at the request (RFC 9113, 6.8 and 8.7), and has not begun to answer. */
  readonly unprocessed: boolean;
  /** Something of an answer came. */
  readonly begun: boolean;
}

/** In words, without the name of the destination. */
export function lossFault({ connection, code }: Loss): string {
  return code === undefined ? connection.fault : resetFault(code);
}

/** Whether a request that was lost may go out once more. */
export function mayGoAgain(request: DestinationRequest, upload: Http2Upload | undefined, loss: Loss): boolean {
  const bodiless = upload === undefined || upload.inHead;
  if (loss.unprocessed) return bodiless || !upload.started;
  // A connection that was used before may have been dead already when the request was given to it, as an idle one. What became of
  // the request nobody knows (RFC 9110, 9.2.2).
  if (loss.code !== undefined || loss.begun || loss.connection.isFresh || loss.connection.isCut) return false;
  return bodiless ? isIdempotent(request.method) : !upload.started;
}

/** What the handler of a request that was lost, and does not go out again, is told. */
export function lossError(name: string, step: DestinationErrorStep, upload: Http2Upload | undefined, loss: Loss): DestinationError {
  const { connection } = loss;
  const cause = loss.code === undefined ? connection.cause : undefined;
  return new DestinationError(`${name}: ${lossFault(loss)}`, {
    step,
    source: loss.code === undefined && connection.isCut ? "gateway" : "destination",
    // Whose body is gone is not to be sent by anybody else either.
    requestSent: !loss.unprocessed || upload?.started === true,
    ...(cause === undefined ? {} : { cause }),
  });
}

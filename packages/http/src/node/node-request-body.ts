import type { IncomingMessage } from "node:http";
import { ClientGoneError } from "../errors.ts";
import { HeaderList } from "../header-list.ts";
import { StreamBody, type StreamEnd } from "./stream-body.ts";

/** The body of an `IncomingMessage`. What nobody reads is dropped, so that the connection can go on or close in order. */
export class NodeRequestBody extends StreamBody<IncomingMessage> {
  /** True when all of it came, read or not. */
  get complete(): boolean {
    return this.stream.complete;
  }

  protected override readElsewhere(): boolean {
    return this.stream.readableDidRead;
  }

  protected judgeEnd(): StreamEnd {
    // Node ends the stream of a message that broke off as well.
    if (!this.stream.complete) return new ClientGoneError("the client left before the end of the request body");
    const raw = this.stream.rawTrailers;
    return raw.length > 0 ? HeaderList.fromRaw(raw) : undefined;
  }

  protected release(): void {
    this.stream.resume();
  }
}

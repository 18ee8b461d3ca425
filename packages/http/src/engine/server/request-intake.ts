import { BadRequestError } from "../../errors.ts";
import type { ClientOutput } from "./client-output.ts";
import type { ConnectionDeadlines } from "./connection-deadlines.ts";
import { dateLine } from "./date-line.ts";
import type { InputBuffer } from "./input-buffer.ts";
import { PartialHead, partialIncomplete, partialMalformed } from "./partial-head.ts";
import { requestIncomplete } from "./request-parser.ts";
import type { ServerContext } from "./server-context.ts";
import { statusLine } from "./status-line.ts";
import { tooManyUpgraded, upgradesExhausted } from "./switching-protocols.ts";

/** The connection that requests come on. */
export interface IntakeOwner {
  /** The client has half-closed. */
  readonly peerEnded: boolean;
  /** Nothing more is served, once what was written has left. */
  linger(): void;
  /** A request is refused, for the log. */
  refused(error: BadRequestError): void;
}

/**
 * A connection between two requests: takes heads from its input, each byte looked at twice at most however a head is split, and
 * answers those that no handler sees.
 */
export class RequestIntake {
  readonly #context: ServerContext;
  readonly #deadlines: ConnectionDeadlines;
  readonly #output: ClientOutput;
  readonly #owner: IntakeOwner;
  #partial: PartialHead | undefined = undefined;
  /** The time for the first head runs from the opening of the connection. */
  #first = true;

  constructor(context: ServerContext, deadlines: ConnectionDeadlines, output: ClientOutput, owner: IntakeOwner) {
    this.#context = context;
    this.#deadlines = deadlines;
    this.#output = output;
    this.#owner = owner;
  }

  /** Waits for a request, of which `input` may hold a part. */
  wait(input: InputBuffer): void {
    const { keepAliveTimeout, requestHeadersTimeout } = this.#context.limits;
    this.#deadlines.setRead(input.length === 0 ? keepAliveTimeout : requestHeadersTimeout);
  }

  /** Uses the next head in `input`, which is not empty: true when it is complete and stands in the parser. */
  take(input: InputBuffer): boolean {
    const { parser } = this.#context;
    const { bytes, start, end } = input;
    if (this.#partial !== undefined) {
      const seen = this.#partial.look(bytes, start, end);
      if (seen === partialIncomplete) {
        return parser.checkSize(bytes, start, end) === requestIncomplete ? false : this.#refuse(parser.refusal);
      }
      if (seen === partialMalformed) return this.#refuse(illegalCharacter());
    }
    const headEnd = parser.parse(bytes, start, end);
    if (headEnd === requestIncomplete) return this.#begun(input);
    if (headEnd < 0) return this.#refuse(parser.refusal);
    this.#partial = undefined;
    this.#first = false;
    if (parser.upgrade !== undefined && upgradesExhausted(this.#context)) return this.#refuse(tooManyUpgraded());
    input.use(headEnd);
    return true;
  }

  /** The client will send no more than what is in `input`. */
  ended(input: InputBuffer): void {
    if (input.length === 0) this.#owner.linger();
    else this.#refuse(new BadRequestError(400, "INCOMPLETE_HEAD", "the client left before the end of the head"));
  }

  /** The request, or what is missing of the one in `input`, did not come in time. */
  overdue(input: InputBuffer): void {
    if (input.length === 0) this.#owner.linger();
    else this.#refuse(new BadRequestError(408, "HEAD_TIMEOUT", "the request head did not come in time"));
  }

  /** The first bytes of a head came, not all. */
  #begun(input: InputBuffer): false {
    this.#partial = new PartialHead();
    if (!this.#first) this.#deadlines.setRead(this.#context.limits.requestHeadersTimeout);
    if (this.#partial.look(input.bytes, input.start, input.end) === partialMalformed) return this.#refuse(illegalCharacter());
    if (this.#owner.peerEnded) this.ended(input);
    return false;
  }

  /** Answers a request that no handler sees, and closes. */
  #refuse(error: BadRequestError): false {
    this.#owner.refused(error);
    this.#output.writeText(`${statusLine(error.status, undefined)}${dateLine()}Content-Length: 0\r\nConnection: close\r\n\r\n`);
    this.#owner.linger();
    return false;
  }
}

function illegalCharacter(): BadRequestError {
  return new BadRequestError(400, "INVALID_HEAD", "the head holds an illegal character");
}

import {
  type BodySink,
  type BodySource,
  type DestinationCall,
  type DestinationClient,
  DestinationError,
  type DestinationHandler,
  type DestinationRequest,
  HeaderList,
  type ResponseHead,
  type Tunnel,
} from "../../src/index.ts";

/** Remembers all that a call tells, and fails on a call out of order. */
export class Recorder implements DestinationHandler {
  readonly interim: number[] = [];
  head: ResponseHead | undefined;
  body = "";
  trailers: HeaderList | undefined;
  error: DestinationError | undefined;
  tunnel: Tunnel | undefined;
  outcome: "open" | "end" | "error" | "upgrade" = "open";
  progress = 0;
  call: DestinationCall | undefined;
  readonly faults: string[] = [];
  onChunk: ((chunk: Uint8Array) => boolean | void) | undefined;
  onHead: (() => void) | undefined;
  onFinal: (() => void) | undefined;
  readonly #done: Promise<this>;
  #settle!: (self: this) => void;

  constructor() {
    this.#done = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** Resolves at the final call, whichever it is. */
  get done(): Promise<this> {
    return this.#done;
  }

  /** What a test compares: all but the timing. */
  get seen(): object {
    return {
      interim: this.interim,
      status: this.head?.status,
      reason: this.head?.reason,
      headers: this.head?.headers.toRaw(),
      body: this.body,
      trailers: this.trailers?.toRaw(),
      outcome: this.outcome,
      step: this.error?.step,
    };
  }

  onInformational(status: number): void {
    this.#open("onInformational");
    if (this.head !== undefined) this.faults.push("interim after the head");
    this.interim.push(status);
  }

  onResponse(head: ResponseHead): void {
    this.#open("onResponse");
    if (this.head !== undefined) this.faults.push("two heads");
    this.head = head;
    this.onHead?.();
  }

  onData(chunk: Uint8Array): boolean | void {
    this.#open("onData");
    if (this.head === undefined) this.faults.push("data before the head");
    if (chunk.length === 0) this.faults.push("an empty chunk");
    this.body += Buffer.from(chunk).toString("latin1");
    return this.onChunk === undefined ? true : this.onChunk(chunk);
  }

  onEnd(trailers: HeaderList | undefined): void {
    this.#final("end");
    this.trailers = trailers;
  }

  onUpgrade(head: ResponseHead, tunnel: Tunnel): void {
    this.head = head;
    this.tunnel = tunnel;
    this.#final("upgrade");
  }

  onError(error: DestinationError): void {
    if (!(error instanceof DestinationError)) this.faults.push("not a DestinationError");
    this.error = error;
    this.#final("error");
  }

  onProgress(): void {
    this.#open("onProgress");
    this.progress++;
  }

  #open(what: string): void {
    if (this.outcome !== "open") this.faults.push(`${what} after ${this.outcome}`);
  }

  #final(outcome: "end" | "error" | "upgrade"): void {
    this.#open(outcome);
    this.outcome = outcome;
    this.onFinal?.();
    this.#settle(this);
  }
}

/** A body given by hand. */
export class ManualBody implements BodySource {
  readonly length: number | undefined;
  started = false;
  sink: BodySink | undefined;
  paused = false;
  cancelled = 0;
  pauses = 0;
  onRead: (() => void) | undefined;

  constructor(length?: number) {
    this.length = length;
  }

  read(sink: BodySink): void {
    if (this.started) throw new Error("read twice");
    this.started = true;
    this.sink = sink;
    this.onRead?.();
  }

  pause(): void {
    this.paused = true;
    this.pauses++;
  }

  resume(): void {
    this.paused = false;
  }

  cancel(): void {
    this.started = true;
    this.cancelled++;
  }
}

/** A body that is at hand as a whole when it is read. */
export function bodyOf(text: string, options: { chunked?: boolean; trailers?: HeaderList } = {}): ManualBody {
  const body = new ManualBody(options.chunked === true ? undefined : text.length);
  body.onRead = () => {
    if (text !== "") body.sink?.onData(Buffer.from(text, "latin1"));
    body.sink?.onEnd(options.trailers);
  };
  return body;
}

export function get(target = "/", fields: readonly (readonly [string, string])[] = []): DestinationRequest {
  return { method: "GET", target, headers: HeaderList.from([["Host", "test"], ...fields]), body: undefined };
}

/** Sends and gives the recorder of what happens. */
export function send(client: DestinationClient, request: DestinationRequest = get(), recorder = new Recorder()): Recorder {
  recorder.call = client.send(request, recorder);
  return recorder;
}

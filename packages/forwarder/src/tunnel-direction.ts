import type { BodySink, Tunnel } from "@proxy/http";
import { goingAwayFrame } from "./websocket/close-frame.ts";
import { FrameFollower } from "./websocket/frame-follower.ts";

/** What a direction tells the tunnel that it is half of. */
export interface TunnelDirectionOwner {
  /** What still comes is dropped. */
  readonly closing: boolean;
  touch(): void;
  /** A Close came through. */
  onClose(fromClient: boolean): void;
  onEnd(fromClient: boolean): void;
  onError(fromClient: boolean, error: Error): void;
}

/** One direction of a tunnel: what `from` sends goes to `to`, held back while `to` is full. */
export class TunnelDirection implements BodySink {
  /** `to` is full. */
  waiting = false;
  ended = false;
  bytes = 0;
  /** The gateway's own Close was sent: `to` gets nothing more. */
  left = false;
  readonly frames: FrameFollower | undefined;
  readonly #owner: TunnelDirectionOwner;
  readonly #from: Tunnel;
  readonly #to: Tunnel;
  readonly #fromClient: boolean;
  #leaving = false;

  constructor(owner: TunnelDirectionOwner, from: Tunnel, to: Tunnel, fromClient: boolean, webSocket: boolean) {
    this.#owner = owner;
    this.#from = from;
    this.#to = to;
    this.#fromClient = fromClient;
    this.frames = webSocket ? new FrameFollower() : undefined;
  }

  /** `from` has said Close. */
  get closed(): boolean {
    return this.frames?.closed === true;
  }

  start(): void {
    this.#to.onDrain(() => this.#onDrain());
    this.#from.read(this);
  }

  /** Says Close to `to` where a message ends, now or later; not when `from` said it already. */
  leave(): void {
    if (this.ended || this.closed || this.frames === undefined) return;
    this.#leaving = true;
    if (this.frames.atRest) this.#sayGoodbye();
  }

  onData(chunk: Uint8Array): boolean {
    if (this.#owner.closing) return true;
    this.#owner.touch();
    const { frames } = this;
    if (frames === undefined) return this.#write(chunk);
    const closed = frames.closed;
    const done = this.left || this.#leaving ? this.#writeLast(frames, chunk) : this.#follow(frames, chunk);
    if (!closed && frames.closed) this.#owner.onClose(this.#fromClient);
    return done;
  }

  onEnd(): void {
    this.ended = true;
    this.#owner.onEnd(this.#fromClient);
  }

  onError(error: Error): void {
    this.ended = true;
    this.#owner.onError(this.#fromClient, error);
  }

  #follow(frames: FrameFollower, chunk: Uint8Array): boolean {
    frames.follow(chunk, 0, false);
    return this.#write(chunk);
  }

  /** The rest of the message in hand is passed on; what follows it is looked at for the answer to the Close only. */
  #writeLast(frames: FrameFollower, chunk: Uint8Array): boolean {
    let at = 0;
    if (!this.left) {
      at = frames.follow(chunk, 0, true);
      this.#write(at === chunk.length ? chunk : chunk.subarray(0, at));
      if (!frames.atRest || frames.closed) return this.#to.pending === 0;
      this.#sayGoodbye();
    }
    frames.follow(chunk, at, false);
    return this.#to.pending === 0;
  }

  #sayGoodbye(): void {
    this.left = true;
    this.#to.write(goingAwayFrame(!this.#fromClient));
  }

  #write(chunk: Uint8Array): boolean {
    this.bytes += chunk.length;
    if (!this.#to.write(chunk) && !this.waiting) {
      this.waiting = true;
      this.#from.pause();
    }
    return this.#to.pending === 0;
  }

  #onDrain(): void {
    if (!this.waiting) return;
    this.waiting = false;
    this.#owner.touch();
    this.#from.resume();
  }
}

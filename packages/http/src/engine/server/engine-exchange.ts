import type { BodySource } from "../../body.ts";
import type {
  ConnectionInfo, Exchange, ExchangeFeatures, HeldConnection, RequestHead, ResponseHead, Tunnel, UpgradeFeature,
} from "../../exchange.ts";
import type { EngineResponse } from "./engine-response.ts";
import type { RequestBody } from "./request-body.ts";

/** What an exchange asks of its connection. */
export interface ExchangeOwner {
  readonly info: ConnectionInfo;
  /** Throws when `exchange` cannot be upgraded (any more). */
  upgrade(exchange: EngineExchange, head: ResponseHead): Tunnel;
  /** Undefined when `exchange` is over, or its connection cannot be given away. */
  hold(exchange: EngineExchange): HeldConnection | undefined;
}

const noFeatures: ExchangeFeatures = Object.freeze({});

/** One request and its response on a connection of the engine. What few handlers ask for is made when they ask. */
export class EngineExchange implements Exchange {
  readonly request: RequestHead;
  readonly response: EngineResponse;
  clientAddress: string | undefined = undefined;
  readonly #owner: ExchangeOwner;
  readonly #body: RequestBody | undefined;
  readonly #upgrade: string | undefined;
  #features: ExchangeFeatures | undefined = undefined;
  /** The first, which most exchanges have, and the others. */
  #goneListener: ((cause: Error) => void) | undefined = undefined;
  #goneListeners: ((cause: Error) => void)[] | undefined = undefined;
  #completeListeners: (() => void)[] | undefined = undefined;
  #gone: Error | undefined = undefined;
  #complete = false;

  constructor(
    owner: ExchangeOwner, request: RequestHead, body: RequestBody | undefined, response: EngineResponse,
    upgrade: string | undefined,
  ) {
    this.#owner = owner;
    this.request = request;
    this.#body = body;
    this.response = response;
    this.#upgrade = upgrade;
  }

  get body(): BodySource | undefined {
    return this.#body;
  }

  get connection(): ConnectionInfo {
    return this.#owner.info;
  }

  get features(): ExchangeFeatures {
    return (this.#features ??= this.#makeFeatures());
  }

  holdConnection(): HeldConnection | undefined {
    return this.#owner.hold(this);
  }

  onClientGone(listener: (cause: Error) => void): void {
    if (this.#gone !== undefined) listener(this.#gone);
    else if (this.#complete) return;
    else if (this.#goneListener === undefined) this.#goneListener = listener;
    else (this.#goneListeners ??= []).push(listener);
  }

  onComplete(listener: () => void): void {
    if (this.#complete) listener();
    else (this.#completeListeners ??= []).push(listener);
  }

  /** The client left before the response ended. */
  clientGone(cause: Error): void {
    if (this.#gone !== undefined || this.#complete) return;
    this.#gone = cause;
    const first = this.#goneListener;
    const others = this.#goneListeners;
    this.#goneListener = undefined;
    this.#goneListeners = undefined;
    first?.(cause);
    if (others !== undefined) for (const listener of others) listener(cause);
  }

  /** The exchange is over. */
  complete(): void {
    if (this.#complete) return;
    this.#complete = true;
    this.#goneListener = undefined;
    this.#goneListeners = undefined;
    const listeners = this.#completeListeners;
    if (listeners === undefined) return;
    this.#completeListeners = undefined;
    for (const listener of listeners) listener();
  }

  #makeFeatures(): ExchangeFeatures {
    const bodyLimit = this.#body;
    if (this.#upgrade === undefined) return bodyLimit === undefined ? noFeatures : { bodyLimit };
    const owner = this.#owner;
    const upgrade: UpgradeFeature = {
      protocol: this.#upgrade,
      kind: "http1",
      accept: (head) => owner.upgrade(this, head),
    };
    return bodyLimit === undefined ? { upgrade } : { upgrade, bodyLimit };
  }
}

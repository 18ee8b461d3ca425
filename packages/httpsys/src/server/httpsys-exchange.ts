import {
  BadRequestError, ClientGoneError, ExchangeStateError, hasListElement,
  type ClientCertificateFeature, type ConnectionInfo, type DelegationRule, type Exchange, type ExchangeFeatures, type RequestHead, type ResponseHead, type Tunnel,
} from "@proxy/http";
import { errorCode } from "../abi/constants.ts";
import type { DelegationSource, HttpSysDelegation, HttpSysDelegationRule } from "../delegation-calls.ts";
import { HttpSysError } from "../errors.ts";
import type { RequestHandle } from "./request-call.ts";
import { HttpSysRequestBody } from "./request-body.ts";
import { askedUpgrade } from "./request-head.ts";
import { HttpSysResponse } from "./response.ts";
import { checkUpgradeHead, HttpSysTunnel } from "./tunnel.ts";

/** What an exchange asks of its server and its connection. */
export interface ExchangeOwner {
  readonly handle: RequestHandle;
  readonly info: ConnectionInfo;
  readonly clientCertificate: ClientCertificateFeature | undefined;
  readonly delegationSource: DelegationSource | undefined;
  /** Whether this HTTP.sys sends trailers of HTTP/2 and HTTP/3. */
  readonly sendsTrailers: boolean;
  readonly maxRequestBodySize: number | undefined;
  readonly bufferSize: number;
  readonly hasBytes: boolean;
  /** Whether the connection is to end after this answer. */
  closes(): boolean;
  mayUpgrade(): boolean;
  upgraded(): void;
  isClosing(): boolean;
  /** Something went wrong that is no client's doing. */
  fault(error: Error): void;
  over(exchange: HttpSysExchange): void;
}

/** What a call on a request says whose connection is gone, or was cut. */
const clientGoneCodes: ReadonlySet<number> = new Set([
  errorCode.ERROR_NETNAME_DELETED, errorCode.ERROR_OPERATION_ABORTED, errorCode.ERROR_CONNECTION_INVALID, errorCode.ERROR_CONNECTION_ABORTED,
]);

/** One request of HTTP.sys as an exchange. */
export class HttpSysExchange implements Exchange {
  readonly request: RequestHead;
  readonly connection: ConnectionInfo;
  readonly body: HttpSysRequestBody | undefined;
  readonly response: HttpSysResponse;
  readonly features: ExchangeFeatures;
  clientAddress: string | undefined = undefined;
  /** After an upgrade. */
  tunnel: HttpSysTunnel | undefined;
  readonly #owner: ExchangeOwner;
  #over = false;
  #gone: Error | undefined;
  #goneListeners: ((cause: Error) => void)[] = [];
  #completeListeners: (() => void)[] = [];

  constructor(request: RequestHead, owner: ExchangeOwner) {
    this.request = request;
    this.connection = owner.info;
    this.#owner = owner;
    const { headers } = request;
    const length = headers.get("content-length");
    if (length !== undefined || headers.has("transfer-encoding") || owner.hasBytes) {
      this.body = new HttpSysRequestBody(owner.handle, {
        length: length === undefined ? undefined : Number(length),
        hasBytes: owner.hasBytes,
        maximum: owner.maxRequestBodySize,
        lost: (cause) => this.#lost(cause),
      });
    }
    this.response = new HttpSysResponse(owner.handle, {
      method: request.method,
      version: request.httpVersion,
      bufferSize: owner.bufferSize,
      sendsTrailers: owner.sendsTrailers,
      closes: (hasLength) => this.#closes(hasLength),
      keepsAlive10: () => hasListElement(headers.get("connection") ?? "", "keep-alive"),
      finished: () => this.#complete(),
      failed: (code) => this.#sendFailed(code),
      aborted: () => this.#aborted(),
    });
    const protocol = askedUpgrade(request);
    this.features = {
      bodyLimit: this.body,
      upgrade: protocol === undefined ? undefined : { protocol, kind: "http1", accept: (head) => this.#accept(head) },
      delegation: this.#delegation(),
      clientCertificate: owner.clientCertificate,
    };
  }

  onClientGone(listener: (cause: Error) => void): void {
    if (this.#gone !== undefined) listener(this.#gone);
    else if (!this.#over) this.#goneListeners.push(listener);
  }

  onComplete(listener: () => void): void {
    if (this.#over) listener();
    else this.#completeListeners.push(listener);
  }

  /** The connection is lost. */
  clientGone(cause: Error): void {
    if (this.#over || this.#gone !== undefined) return;
    if (this.tunnel !== undefined) {
      this.tunnel.lost(cause);
      this.#complete();
      return;
    }
    this.#gone = cause;
    this.response.die();
    const listeners = this.#goneListeners;
    this.#goneListeners = [];
    for (const listener of listeners) listener(cause);
    this.body?.fail(cause);
    this.#complete();
  }

  /** Cuts the connection. */
  cut(): void {
    const { library, queue, id } = this.#owner.handle;
    // 1229: it is gone already.
    library.call("HttpCancelHttpRequest", queue, id, 0n);
  }

  /** A call failed: the connection is of no use, also where HTTP.sys would keep it. */
  #lost(cause: Error): void {
    if (!this.#over) this.cut();
    this.clientGone(cause);
  }

  #sendFailed(code: number): void {
    const cause = new HttpSysError("HttpSendHttpResponse", code);
    // What HTTP.sys refuses is no client's fault, though its client gets no answer.
    if (!clientGoneCodes.has(code)) this.#owner.fault(cause);
    this.#lost(new ClientGoneError("the client left", { cause }));
  }

  #aborted(): void {
    this.cut();
    this.body?.fail(new ClientGoneError("the exchange was aborted"));
    this.#complete();
  }

  #complete(): void {
    if (this.#over) return;
    this.#over = true;
    this.#goneListeners = [];
    const listeners = this.#completeListeners;
    this.#completeListeners = [];
    for (const listener of listeners) listener();
    this.#owner.over(this);
  }

  #closes(hasLength: boolean): boolean {
    const { headers, httpVersion } = this.request;
    const connection = headers.get("connection") ?? "";
    if (hasListElement(connection, "close") || this.#owner.closes() || this.body?.failed === true) return true;
    if (httpVersion === "1.0" && (!hasLength || !hasListElement(connection, "keep-alive"))) return true;
    // A client that waits for 100 in vain would take what it sends next for the body.
    return this.body?.started === false && this.#owner.hasBytes && headers.has("expect");
  }

  #accept(head: ResponseHead): Tunnel {
    if (this.response.started || this.#over) throw new ExchangeStateError("an upgrade after the response");
    if (!this.#owner.mayUpgrade()) throw new BadRequestError(503, "TOO_MANY_UPGRADED_CONNECTIONS", "too many upgraded connections");
    checkUpgradeHead(head);
    this.#owner.upgraded();
    this.response.give(101);
    this.tunnel = new HttpSysTunnel(this.#owner.handle, head, { bufferSize: this.#owner.bufferSize, cut: () => this.cut() });
    if (this.#owner.isClosing()) this.tunnel.shutDown();
    return this.tunnel;
  }

  #delegation(): HttpSysDelegation | undefined {
    const source = this.#owner.delegationSource;
    if (source === undefined) return undefined;
    const isFree = (): boolean => !this.#over && !this.response.started && this.body?.started !== true;
    return {
      source,
      get canDelegate() {
        return isFree();
      },
      delegate: (rule) => {
        if (!isFree()) throw new ExchangeStateError("a request is delegated before its body is read and its response started");
        this.#delegate(source, rule);
      },
    };
  }

  #delegate(source: DelegationSource, rule: DelegationRule | HttpSysDelegationRule): void {
    if (!("target" in rule)) throw new TypeError("the rule has no handle of a queue: it is not one of HTTP.sys");
    try {
      source.calls.delegateRequest(source.queue, rule.target, this.#owner.handle.id, rule.urlPrefix);
    } catch (error) {
      if (error instanceof HttpSysError && error.errorCode === errorCode.ERROR_CONNECTION_INVALID) {
        this.clientGone(new ClientGoneError("the client left", { cause: error }));
      }
      throw error;
    }
    this.response.die();
    this.body?.cancel();
    this.#complete();
  }
}

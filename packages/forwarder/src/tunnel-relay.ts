import type { Tunnel } from "@proxy/http";
import type { Failure } from "./failure.ts";
import type { ForwarderErrorCode } from "./forwarder-error.ts";
import type { TimerWheel, WheelEntry } from "./timer-wheel.ts";
import { TunnelDirection, type TunnelDirectionOwner } from "./tunnel-direction.ts";
import { goingAway } from "./websocket/close-frame.ts";
import type { WebSocketCloseReason, WebSocketReport } from "./websocket/report.ts";

/** How long the client may take to close after the destination has: milliseconds. */
const closingTime = 5000;

export interface TunnelRelayOptions {
  readonly wheel: TimerWheel;
  /** Ticks without any byte in either direction until it is given up. */
  readonly activityTicks: number;
  /** The frames of a WebSocket are followed: it can be told that the gateway goes away. */
  readonly webSocket: boolean;
  /** Aborted when the gateway goes away. */
  readonly shutdown: AbortSignal | undefined;
  /** Told what a WebSocket carried, before `done`. */
  readonly onReport: ((report: WebSocketReport) => void) | undefined;
  readonly done: (failure: Failure | undefined) => void;
}

/**
 * Bytes both ways after an upgrade. The client's half-close is passed on and the destination's answer waited for;
 * the destination's end is the end. The first failure decides the outcome. When the client's server begins to close,
 * both sides of a WebSocket get a Close between two messages, and have the server's grace period to answer.
 */
export class TunnelRelay implements WheelEntry, TunnelDirectionOwner {
  wheelNext: WheelEntry | undefined = undefined;
  wheelPrevious: WheelEntry | undefined = undefined;
  /** The outcome is told; the client is given time to close. */
  closing = false;
  readonly #client: Tunnel;
  readonly #destination: Tunnel;
  readonly #options: TunnelRelayOptions;
  readonly #request: TunnelDirection;
  readonly #response: TunnelDirection;
  readonly #established: number;
  #lastTick: number;
  #over = false;
  #reason: WebSocketCloseReason = "Unknown";

  constructor(client: Tunnel, destination: Tunnel, options: TunnelRelayOptions) {
    this.#client = client;
    this.#destination = destination;
    this.#options = options;
    this.#lastTick = options.wheel.tick;
    this.#established = options.onReport === undefined ? 0 : Date.now();
    this.#request = new TunnelDirection(this, client, destination, true, options.webSocket);
    this.#response = new TunnelDirection(this, destination, client, false, options.webSocket);
  }

  start(): void {
    const { wheel, activityTicks, shutdown } = this.#options;
    wheel.add(this, this.#lastTick + activityTicks);
    this.#request.start();
    if (!this.#over) this.#response.start();
    if (this.#over) return;
    this.#client.onShutdown?.(this.#leave);
    if (shutdown?.aborted === true) this.#leave();
    else shutdown?.addEventListener("abort", this.#leave);
  }

  touch(): void {
    this.#lastTick = this.#options.wheel.tick;
  }

  onEnd(fromClient: boolean): void {
    if (this.#over) return;
    this.touch();
    this.#judge(fromClient ? "ClientDisconnect" : "ServerDisconnect");
    if (this.closing) {
      if (this.#ended) this.#close();
    } else if (fromClient) {
      this.#destination.end();
    } else {
      this.#finish();
    }
  }

  onClose(fromClient: boolean): void {
    this.#judge(fromClient ? "ClientGracefulClose" : "ServerGracefulClose");
    // Whoever was told by the gateway has answered: nothing more is to come.
    if (this.#over || this.closing || !this.#request.left || !this.#response.left) return;
    if (this.#request.closed) this.#client.end();
    if (this.#request.closed && this.#response.closed) this.#finish();
  }

  onError(fromClient: boolean, error: Error): void {
    if (this.#over) return;
    if (this.#cutAtLast(error)) return;
    this.#judge(fromClient ? "ClientDisconnect" : "ServerDisconnect");
    const writing = (error as NodeJS.ErrnoException).syscall === "write";
    const code: ForwarderErrorCode = fromClient
      ? writing
        ? "UpgradeResponseClient"
        : "UpgradeRequestClient"
      : writing
        ? "UpgradeRequestDestination"
        : "UpgradeResponseDestination";
    this.#fail(code, fromClient ? "client" : "destination", error);
  }

  /** The client's connection is gone as a whole, or the caller gave up. */
  cancel(cause: unknown, source: "client" | "gateway"): void {
    if (this.#over || this.#cutAtLast(cause)) return;
    if (source === "client") this.#judge("ClientDisconnect");
    this.#fail(this.#response.waiting ? "UpgradeResponseCanceled" : "UpgradeRequestCanceled", source, cause);
  }

  /** Whatever breaks once the gateway goes away, the end of the grace period above all, is nobody else's doing. */
  #cutAtLast(cause: unknown): boolean {
    if (this.#reason !== "GatewayShutdown") return false;
    this.#fail("UpgradeRequestCanceled", "gateway", cause);
    return true;
  }

  check(tick: number): number {
    if (this.#over) return 0;
    const { wheel, activityTicks } = this.#options;
    const patience = this.closing ? wheel.ticks(closingTime) : activityTicks;
    if (tick - this.#lastTick < patience) return this.#lastTick + patience;
    this.#judge("ActivityTimeout");
    const cause = new Error("no byte moved through the tunnel within the activity timeout");
    this.#fail("UpgradeActivityTimeout", this.#request.waiting ? "destination" : "client", cause);
    return 0;
  }

  /** The gateway goes away. What is no WebSocket cannot be told. */
  readonly #leave = (): void => {
    if (this.#over || this.closing) return;
    this.#judge("GatewayShutdown");
    this.#response.leave();
    this.#request.leave();
  };

  /** The first cause stays. */
  #judge(reason: WebSocketCloseReason): void {
    if (this.#reason === "Unknown") this.#reason = reason;
  }

  /** Ends both sides; what they still send is dropped, and they have a while to close. */
  #finish(): void {
    this.#destination.end();
    this.#client.end();
    if (this.#ended) {
      this.#close();
    } else {
      this.closing = true;
      const { wheel } = this.#options;
      wheel.move(this, wheel.tick + wheel.ticks(closingTime));
      this.#client.resume();
    }
    this.#tell(undefined);
  }

  get #ended(): boolean {
    return this.#request.ended && this.#response.ended;
  }

  #fail(code: ForwarderErrorCode, source: Failure["source"], cause: unknown): void {
    const told = this.closing;
    const error = cause instanceof Error ? cause : new Error(code);
    this.#close();
    this.#client.abort(error);
    this.#destination.abort(error);
    if (!told) this.#tell({ code, status: 502, source, retry: "never", cause });
  }

  #tell(failure: Failure | undefined): void {
    const { onReport, webSocket, done } = this.#options;
    if (onReport !== undefined && webSocket) onReport(this.#report());
    done(failure);
  }

  #report(): WebSocketReport {
    const read = this.#request;
    const written = this.#response;
    const byGateway = this.#reason === "GatewayShutdown";
    const closed = this.#reason === "ServerGracefulClose" ? written : read;
    return {
      established: this.#established,
      duration: Date.now() - this.#established,
      closeReason: this.#reason,
      closeCode: byGateway ? goingAway : closed.frames?.closeCode,
      closeText: byGateway ? undefined : closed.frames?.closeReason,
      messagesRead: read.frames?.messages ?? 0,
      messagesWritten: written.frames?.messages ?? 0,
      bytesRead: read.bytes,
      bytesWritten: written.bytes,
    };
  }

  #close(): void {
    this.#over = true;
    this.#options.shutdown?.removeEventListener("abort", this.#leave);
    this.#options.wheel.remove(this);
  }
}

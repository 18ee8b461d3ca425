import type { DestinationCall, Exchange, HeaderList } from "@proxy/http";
import type { ChangedBody } from "./body/changed-body.ts";
import type { Destination } from "./destination.ts";
import type { ClientResponse, ForwardWithOptions, Transformer } from "./forward-options.ts";
import type { ForwarderError } from "./forwarder-error.ts";
import type { Outgoing } from "./outgoing.ts";
import type { PendingResponse } from "./pending-response.ts";
import type { RequestBody } from "./request-body.ts";
import { sharedTimers, type TimerWheel, type WheelEntry } from "./timer-wheel.ts";
import { defaultTransformer } from "./transformers.ts";
import type { TunnelRelay } from "./tunnel-relay.ts";
import type { UpgradeHandshake } from "./upgrade-handshake.ts";

/** How far a forwarding is. Numbers in their order, so that `>=` tells what lies behind. */
export const preparing = 0;
export const waiting = 1;
export const transformingResponse = 2;
export const relaying = 3;
export const upgraded = 4;
export const finishingRequest = 5;
export const over = 6;

/** Told the outcome; `fault` is what a user's function threw that no outcome can carry. */
export type ForwardDone = (error: ForwarderError | undefined, fault?: unknown) => void;

const defaultActivityTimeout = 100_000;

/**
 * All that one forwarding remembers. The classes that are built on it add behaviour, and neither fields nor constructors: those
 * would be paid for by each request.
 */
export abstract class ForwardingState {
  wheelNext: WheelEntry | undefined = undefined;
  wheelPrevious: WheelEntry | undefined = undefined;

  protected readonly exchange: Exchange;
  protected readonly options: ForwardWithOptions;
  protected readonly transformer: Transformer;
  protected readonly done: ForwardDone;
  protected readonly wheel: TimerWheel;
  protected readonly activityTicks: number;
  protected readonly firstDestination: Destination;
  protected destination: Destination;
  protected phase: number = preparing;
  protected lastTick: number;
  protected routeTick = 0;
  protected attemptTick = 0;
  protected attemptTicks = 0;
  protected attempt: number;
  protected handshake: UpgradeHandshake | undefined = undefined;
  protected outgoing: Outgoing | undefined = undefined;
  protected aboutContent = false;
  protected body: RequestBody | undefined = undefined;
  protected call: DestinationCall | undefined = undefined;
  /** The call is to wait, also one that there is not yet. */
  protected paused = false;
  protected givenUp: Error | undefined = undefined;
  /** The client's head, until it is with the client. */
  protected head: ClientResponse | undefined = undefined;
  protected pending: PendingResponse | undefined = undefined;
  protected changed: ChangedBody | undefined = undefined;
  /** Kept until the changed body is whole. */
  protected trailers: HeaderList | undefined = undefined;
  /** The client takes no more for now. */
  protected draining = false;
  protected relay: TunnelRelay | undefined = undefined;
  protected onAbort: (() => void) | undefined = undefined;

  constructor(exchange: Exchange, destination: Destination, options: ForwardWithOptions, done: ForwardDone) {
    this.exchange = exchange;
    this.firstDestination = destination;
    this.destination = destination;
    this.options = options;
    this.transformer = options.transformer ?? defaultTransformer;
    this.done = done;
    this.attempt = options.attempt?.number ?? 1;
    this.wheel = options.timers ?? sharedTimers;
    this.activityTicks = this.wheel.ticks(options.activityTimeout ?? defaultActivityTimeout);
    this.lastTick = this.wheel.tick;
  }
}

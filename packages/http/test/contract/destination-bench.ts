import type { DestinationClient, HttpClientOptions } from "../../src/index.ts";
import type { RecordedCall, SendOptions } from "./destination-call.ts";
import type { RawDestination } from "./raw-destination.ts";

/** What each part of the destination suite works with; all it opens is closed and checked after each test. */
export interface DestinationBench {
  readonly test: (title: string, run: () => Promise<void>) => void;
  destination(): Promise<RawDestination>;
  /** A client for `destination`, or for a port. Clients of one test with the same options are separate. */
  client(destination: RawDestination | number, options?: HttpClientOptions): DestinationClient;
  send(client: DestinationClient, options?: SendOptions): RecordedCall;
}

/** One chapter of the destination suite. */
export interface DestinationPart {
  readonly title: string;
  define(bench: DestinationBench): void;
}

import type { Exchange, ExchangeHandler, ServerLimits } from "../../src/index.ts";
import type { RawClient } from "./raw-client.ts";

/** A front server under test, listening on the loopback address. */
export interface ServerUnderTest {
  readonly port: number;
  readonly connectionCount: number;
  /** What the server told `onFault`, in order. */
  readonly faults: readonly Error[];
  close(gracePeriod?: number): Promise<void>;
}

export interface ExchangeContractOptions {
  start(handler: ExchangeHandler, limits?: Partial<ServerLimits>): Promise<ServerUnderTest>;
  /** Connects a client. Default: cleartext. */
  readonly open?: ((port: number, how: { readonly halfOpen?: boolean | undefined }) => Promise<RawClient>) | undefined;
  /** Tests that this server cannot pass: title and the reason, which is shown. */
  readonly skip?: Readonly<Record<string, string>> | undefined;
  /** Whole chapters that do not concern it: title and the reason. */
  readonly skipParts?: Readonly<Record<string, string>> | undefined;
}

/** What each part of the suite works with. Servers and clients that it opens are closed and checked after each test. */
export interface ContractBench {
  readonly test: (title: string, run: () => Promise<void>) => void;
  serve(handler: (exchange: Exchange) => void | Promise<void>, limits?: Partial<ServerLimits>): Promise<ServerUnderTest>;
  /** A half-open client does not end its side when the server did. */
  connect(server: ServerUnderTest, options?: { readonly halfOpen?: boolean | undefined }): Promise<RawClient>;
}

/** One chapter of the suite. */
export interface ContractPart {
  readonly title: string;
  define(bench: ContractBench): void;
}

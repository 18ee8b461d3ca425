import type { Exchange } from "@proxy/http";
import { NotDelegableError, type DelegateDone, type DelegationCarrier, type DelegationTarget, type QueueHandle } from "../carrier.ts";
import { asDelegationError, type DelegationError } from "../errors.ts";
import type { Channel, ChannelOptions } from "./channel.ts";
import { libc } from "./libc.ts";
import { openChannel } from "./open-channel.ts";
import { socketPathFault } from "./socket-directory.ts";

/**
 * Hands accepted connections to processes that listen on Unix-domain sockets: Linux and macOS, cleartext HTTP/1.x of our engine. What this
 * machine lacks for that is told by `nameFault` of the first socket that is asked for: koffi is not loaded before.
 */
export function createUnixCarrier(options: ChannelOptions = {}): DelegationCarrier {
  return {
    kind: "unix",
    nameKey: (path) => path,
    nameFault(path) {
      const fault = socketPathFault(path);
      if (fault !== undefined) return `has a DelegationSocket that ${fault}`;
      try {
        libc();
        return undefined;
      } catch (error) {
        return `asks for delegation that cannot be had: ${asDelegationError(error).message}`;
      }
    },
    open: async (path) => new UnixQueue(await openChannel(path, options)),
  };
}

class UnixQueue implements QueueHandle {
  onLost: ((cause: DelegationError | undefined) => void) | undefined;
  readonly #channel: Channel;

  constructor(channel: Channel) {
    this.#channel = channel;
    channel.onClosed = (cause) => this.onLost?.(cause);
  }

  delegate(exchange: Exchange, target: DelegationTarget, done: DelegateDone): void {
    if (exchange.holdConnection === undefined) {
      throw new NotDelegableError("connections of this server cannot be handed over: only cleartext HTTP/1.x ones of the engine can");
    }
    const held = exchange.holdConnection();
    if (held === undefined) throw new NotDelegableError("the request cannot be handed over any more: its body was touched or its response has started");
    this.#channel.handOver(held, target.mode, (error) => {
      if (error === undefined && target.mode === "perRequest") held.lend();
      else if (error === undefined) held.release();
      else held.cancel(error.mayBeShared ? "closes" : "stays");
      done(error);
    });
  }

  close(): void {
    this.#channel.close();
  }
}

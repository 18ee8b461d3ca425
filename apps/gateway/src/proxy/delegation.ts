import { createHttpSysCarrier, createUnixCarrier, Delegator } from "@proxy/delegation";
import type { HandOverEvent, QueueEvent } from "@proxy/delegation";
import type { DelegationSource, HttpSysServer } from "@proxy/httpsys";
import type { HostSettings } from "../configuration/host-settings.ts";
import type { CallbackLog } from "../logging/callback-log.ts";

const noHttpSys = "this gateway does not serve from HTTP.sys (Server:Engine HttpSys)";

/**
 * Hands requests to other processes, where destinations ask for it. Nothing is loaded or opened before one does. `httpSysServers` are those
 * that listen now.
 */
export function createDelegator(
  { addresses, engine }: Pick<HostSettings, "addresses" | "engine">,
  log: CallbackLog,
  httpSysServers: Iterable<HttpSysServer> = [],
): Delegator {
  const isHttpSys = engine === "HttpSys";
  const sources = (): readonly DelegationSource[] => [...httpSysServers].flatMap(({ delegationSource }) => delegationSource ?? []);
  const isServed = engine !== "node" && !isHttpSys && addresses.some((each) => each.tls === undefined && each.protocols !== "Http2" && !each.proxyProtocol);
  return new Delegator({
    carriers: [...(isServed ? [createUnixCarrier()] : []), ...(isHttpSys ? [createHttpSysCarrier(sources)] : [])],
    missing: {
      httpsys: noHttpSys,
      unix: "only cleartext HTTP/1.1 connections without a PROXY header can be handed over, of the engine that is the default; no address is served so",
    },
    onEvent: (event) => tell(log, event),
  });
}

/** For checking a configuration: as if every address were served in a way that allows it. */
export function delegatorForChecks(): Delegator {
  return new Delegator({ carriers: [createUnixCarrier(), createHttpSysCarrier(() => [])] });
}

/** Single requests are told by the proxy. */
function tell(log: CallbackLog, { type, queueName, error }: QueueEvent | HandOverEvent): void {
  const fields = { queue: queueName, ...(error === undefined ? {} : { error: error.message, code: error.code }) };
  switch (type) {
    case "attached":
      return log("Info", "a process that requests are handed to is there", fields);
    case "attach-failed":
      return log("Warn", "a process that requests are handed to cannot be reached", fields);
    case "lost":
    case "detached":
      return log("Warn", "a process that requests are handed to has gone", fields);
    case "reset":
    case "released":
      return log("Info", "a process that requests were handed to was let go", fields);
    default:
  }
}

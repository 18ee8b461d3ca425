/** The front servers of this package for HTTP/2, as the suite tries them. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { createHttp2Server, createTlsServer, type FrontServer, FrontTls } from "../../src/index.ts";
import { ManualClock } from "../contract/manual-clock.ts";
import { localhost } from "../tls-server/fixtures.ts";
import type { WireServer, WireServerFactory } from "./wire-bench.ts";

/** Cleartext, by prior knowledge. */
export const front: WireServerFactory = async (handler, limits) => {
  const clock = new ManualClock();
  const faults: Error[] = [];
  const server = createHttp2Server({ handler, limits, timerInterval: 5, now: clock.now, onFault: (error) => faults.push(error) });
  return await listening(server, faults, clock, async (port) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    await once(socket, "connect");
    return socket;
  });
};

/** Over TLS, by ALPN. */
export const tlsFront: WireServerFactory = async (handler, limits) => {
  const clock = new ManualClock();
  const faults: Error[] = [];
  const tls = new FrontTls({ certificate: localhost, refuseUncoveredHosts: false });
  const server = createTlsServer({ handler, limits, tls, timerInterval: 5, now: clock.now, onFault: (error) => faults.push(error) });
  return await listening(server, faults, clock, async (port) => {
    const socket = connectTls({ port, host: "127.0.0.1", ALPNProtocols: ["h2"], rejectUnauthorized: false });
    await once(socket, "secureConnect");
    socket.setNoDelay(true);
    // Node has no reset over TLS: the nearest to it.
    socket.resetAndDestroy = () => socket.destroy();
    return socket;
  });
};

async function listening(front: FrontServer, faults: Error[], clock: ManualClock, open: (port: number) => Promise<Socket>): Promise<WireServer> {
  const { port } = await front.listen({ host: "127.0.0.1", port: 0 });
  return { front, faults, clock, connect: () => open(port) };
}

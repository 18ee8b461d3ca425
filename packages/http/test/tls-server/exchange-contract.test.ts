import { once } from "node:events";
import { connect as connectTls } from "node:tls";
import { createTlsServer, FrontTls } from "../../src/index.ts";
import { describeExchangeContract } from "../contract/exchange-contract.ts";
import { RawClient } from "../contract/raw-client.ts";
import { localhost } from "./fixtures.ts";

describeExchangeContract("the exchange contract over TLS", {
    async start(handler, limits) {
      const faults: Error[] = [];
      // The hosts of the suite are not those of the certificate.
      const tls = new FrontTls({ certificate: localhost, refuseUncoveredHosts: false });
      const server = createTlsServer({ handler, limits: { halfClosedTimeout: 300, ...limits }, tls, timerInterval: 20, onFault: (error) => faults.push(error) });
      const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
      return {
        port,
        faults,
        get connectionCount() {
          return server.connectionCount;
        },
        close: (gracePeriod) => server.close(gracePeriod),
      };
    },
    skip: {
      "by a client that leaves before the body is read fails the body when it is read": "Node has no reset over TLS",
      "by a client that leaves while the body is paused is told": "Node has no reset over TLS",
      "beyond the most that may be open is not accepted either when it was asked for before": "Node has no reset over TLS",
      "https on a cleartext connection": "the connection is not cleartext",
      "that is aborted never looks whole": "Node's client does not tell a missing close_notify",
      "that the client resets is an error to the tunnel and completes once": "Node has no reset over TLS",
      "that the server aborts is a cut for the client": "Node's client does not tell a missing close_notify",
      "beyond the most that may be open is closed at once": "is closed before its handshake",
      "is presented as it stood on the wire": "expects the scheme http",
      "of an absolute target takes its authority from there, and Host follows it": "its target has the scheme http",
    },
    async open(port, { halfOpen }) {
      const socket = connectTls({ port, host: "127.0.0.1", ALPNProtocols: ["http/1.1"], rejectUnauthorized: false });
      socket.allowHalfOpen = halfOpen ?? false;
      await once(socket, "secureConnect");
      socket.setNoDelay(true);
      // The nearest to a reset that Node has over TLS.
      socket.resetAndDestroy = () => socket.destroy();
      return RawClient.over(socket);
    },
});

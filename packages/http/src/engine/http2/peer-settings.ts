import { errorCode, minimumMaxFrameSize, readUint32, settingId } from "./frames.ts";

/** RFC 9113, 6.9.2: the window of a stream before its peer says otherwise. */
export const initialWindow = 65_535;
export const maximumWindow = 0x7fffffff;

/** What a peer announced (RFC 9113, 6.5.2). We never send frames above the size that everybody takes, nor pushes. */
export class PeerSettings {
  headerTableSize = 4096;
  /** The smallest that one frame has named: what was dropped for it stays dropped (RFC 7541, 4.2). */
  smallestTableSize = 4096;
  initialWindowSize = initialWindow;
  /** Streams that it takes at once; without a word from it, as many as can be said. */
  maxConcurrentStreams = 0xffffffff;
  /** It takes extended CONNECT (RFC 8441, 3). */
  connectProtocol = false;
  readonly #side: "client" | "server";

  /** `side`: what the peer is. */
  constructor(side: "client" | "server") {
    this.#side = side;
  }

  /** Takes the payload of a SETTINGS frame. Returns an error code of the connection, or -1. */
  take(bytes: Buffer, from: number, to: number): number {
    this.smallestTableSize = this.headerTableSize;
    for (let at = from; at < to; at += 6) {
      const id = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
      const value = readUint32(bytes, at + 2);
      switch (id) {
        case settingId.headerTableSize:
          this.headerTableSize = value;
          this.smallestTableSize = Math.min(this.smallestTableSize, value);
          break;
        case settingId.enablePush:
          // RFC 9113, 6.5.2: a server cannot be sent pushes.
          if (value > (this.#side === "client" ? 1 : 0)) return errorCode.protocolError;
          break;
        case settingId.maxConcurrentStreams:
          this.maxConcurrentStreams = value;
          break;
        case settingId.initialWindowSize:
          if (value > maximumWindow) return errorCode.flowControlError;
          this.initialWindowSize = value;
          break;
        case settingId.maxFrameSize:
          if (value < minimumMaxFrameSize || value > 0xffffff) return errorCode.protocolError;
          break;
        case settingId.enableConnectProtocol:
          // RFC 8441, 3: 0 or 1, and never taken back; what a client says of it means nothing.
          if (this.#side === "client") break;
          if (value > 1 || (value === 0 && this.connectProtocol)) return errorCode.protocolError;
          this.connectProtocol = value === 1;
          break;
        default:
          break;
      }
    }
    return -1;
  }
}

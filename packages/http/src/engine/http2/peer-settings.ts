import { errorCode, minimumMaxFrameSize, readUint32, settingId } from "./frames.ts";

/** RFC 9113, 6.9.2: the window of a stream before the client says otherwise. */
export const initialWindow = 65_535;
export const maximumWindow = 0x7fffffff;

/** What a client announced (RFC 9113, 6.5.2). We never send frames above the size that everybody takes, nor pushes. */
export class PeerSettings {
  headerTableSize = 4096;
  /** The smallest that one frame has named: what was dropped for it stays dropped (RFC 7541, 4.2). */
  smallestTableSize = 4096;
  initialWindowSize = initialWindow;

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
          if (value > 1) return errorCode.protocolError;
          break;
        case settingId.initialWindowSize:
          if (value > maximumWindow) return errorCode.flowControlError;
          this.initialWindowSize = value;
          break;
        case settingId.maxFrameSize:
          if (value < minimumMaxFrameSize || value > 0xffffff) return errorCode.protocolError;
          break;
        default:
          break;
      }
    }
    return -1;
  }
}

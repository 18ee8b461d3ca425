import { readFileSync } from "node:fs";

const read = (name: string): Buffer => readFileSync(new URL(name, import.meta.url));
const pair = (name: string): { cert: Buffer; key: Buffer } => ({ cert: read(`${name}.pem`), key: read(`${name}.key`) });

/** Certificates of destinations and of the gateway, made by `make.sh`. */
export const certificates = {
  /** Vouches for the destinations. */
  authority: read("authority.pem"),
  /** Vouches for the gateway. */
  clientAuthority: read("client-authority.pem"),
  /** For `localhost`, `named.test`, 127.0.0.1 and ::1. */
  server: pair("server"),
  /** For `localhost` and 127.0.0.1, like `server`. */
  renewed: pair("renewed"),
  /** For `other.test` alone. */
  other: pair("other"),
  /** For `localhost`, until 2021. */
  expired: pair("expired"),
  gateway: pair("gateway"),
  gatewayRenewed: pair("gateway-renewed"),
  /** The password of both is `secret`. */
  gatewayPfx: read("gateway.pfx"),
  gatewayEncryptedKey: read("gateway.encrypted.key"),
};

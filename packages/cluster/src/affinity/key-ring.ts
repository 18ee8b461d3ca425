/**
 * Protection of affinity keys, and of what else clients hold for gateways: AES-256-GCM under keys that HKDF-SHA-256
 * (RFC 5869) derives from configured secrets. A protected key is
 *
 *     version (1 byte) | key id (4) | nonce (12) | ciphertext | tag (16)
 *
 * Version, key id and purpose are authenticated with it: a key for one purpose is none for another. The key id follows
 * from the secret, so gateways that share a secret need to agree on nothing else. The tag is compared in constant time by
 * OpenSSL; nothing secret is compared here.
 *
 * Nonces are random: change the secret before 2^32 keys were handed out under it (NIST SP 800-38D, 8.3).
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

/** Makes keys that clients can neither read nor forge. */
export interface KeyProtector {
  protect(purpose: string, plain: Uint8Array): Uint8Array;
  /** Undefined for whatever `protect` did not make for that purpose. Never throws. */
  unprotect(purpose: string, sealed: Uint8Array): Uint8Array | undefined;
}

export interface KeyRingOptions {
  /**
   * The first protects; the others only read, so that a secret can be replaced without losing sessions: add the new
   * one behind the old on every gateway, then move it to the front, then drop the old one. Each at least 32 bytes, as
   * UTF-8 or raw. Default: a random one, which neither outlives the process nor is known to another.
   */
  readonly secrets?: readonly (string | Uint8Array)[] | undefined;
  /** Random bytes, for tests. */
  readonly randomBytes?: ((size: number) => Uint8Array) | undefined;
  /** What the keys are for: those derived for one use read nothing of another, also from the same secret. Default "session affinity". */
  readonly use?: string | undefined;
}

interface RingKey {
  readonly id: number;
  readonly key: Buffer;
}

const version = 1;
const headSize = 5;
const nonceSize = 12;
const tagSize = 16;
const smallest = headSize + nonceSize + tagSize;
const minimumSecret = 32;

/** Throws `TypeError` for a secret that is too short, or given twice; secrets are not told. */
export function createKeyRing(options: KeyRingOptions = {}): KeyProtector {
  const random = options.randomBytes ?? randomBytes;
  return createRotatableKeyRing(options.secrets ?? [random(minimumSecret)], random, options.use);
}

/** A key ring whose secrets can be replaced while it is in use. */
export interface RotatableKeyRing extends KeyProtector {
  /** Takes `secrets` in place of those before, all at once. Throws as `createKeyRing` does, and changes nothing then. */
  use(secrets: readonly (string | Uint8Array)[]): void;
}

/** Throws `TypeError` as `createKeyRing` does. */
export function createRotatableKeyRing(
  secrets: readonly (string | Uint8Array)[],
  random: (size: number) => Uint8Array = randomBytes,
  use = "session affinity",
): RotatableKeyRing {
  let ring = ringOf(secrets, use);
  return {
    protect: (purpose, plain) => seal(ring.current, purpose, plain, random(nonceSize)),
    unprotect: (purpose, sealed) => open(ring.byId, purpose, sealed),
    use(next) {
      ring = ringOf(next, use);
    },
  };
}

interface Ring {
  readonly current: RingKey;
  readonly byId: ReadonlyMap<number, RingKey>;
}

function ringOf(secrets: readonly (string | Uint8Array)[], use: string): Ring {
  const keys = secrets.map((secret, index) => ringKey(secret, index, use));
  const [current] = keys;
  if (current === undefined) throw new TypeError("a key ring needs a secret");
  const byId = new Map(keys.map((each) => [each.id, each]));
  if (byId.size !== keys.length) throw new TypeError("a key ring holds one secret twice");
  return { current, byId };
}

function ringKey(secret: string | Uint8Array, index: number, use: string): RingKey {
  const bytes = typeof secret === "string" ? Buffer.from(secret, "utf8") : secret;
  if (bytes.length < minimumSecret) {
    throw new TypeError(`secret ${index + 1} of the key ring is shorter than ${minimumSecret} bytes`);
  }
  const id = Buffer.from(hkdfSync("sha256", bytes, "", `proxy ${use}: key id`, 4)).readUInt32BE();
  return { id, key: Buffer.from(hkdfSync("sha256", bytes, "", `proxy ${use}: key`, 32)) };
}

function seal(ringKey: RingKey, purpose: string, plain: Uint8Array, nonce: Uint8Array): Uint8Array {
  const head = Buffer.allocUnsafe(headSize);
  head[0] = version;
  head.writeUInt32BE(ringKey.id, 1);
  const cipher = createCipheriv("aes-256-gcm", ringKey.key, nonce, { authTagLength: tagSize });
  cipher.setAAD(head).setAAD(Buffer.from(purpose, "utf8"));
  const body = cipher.update(plain);
  const last = cipher.final();
  return Buffer.concat([head, nonce, body, last, cipher.getAuthTag()]);
}

function open(ring: ReadonlyMap<number, RingKey>, purpose: string, sealed: Uint8Array): Uint8Array | undefined {
  if (sealed.length < smallest || sealed[0] !== version) return undefined;
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length);
  const ringKey = ring.get(bytes.readUInt32BE(1));
  if (ringKey === undefined) return undefined;
  const nonce = bytes.subarray(headSize, headSize + nonceSize);
  const tagAt = bytes.length - tagSize;
  try {
    const decipher = createDecipheriv("aes-256-gcm", ringKey.key, nonce, { authTagLength: tagSize });
    decipher.setAAD(bytes.subarray(0, headSize)).setAAD(Buffer.from(purpose, "utf8"));
    decipher.setAuthTag(bytes.subarray(tagAt));
    const plain = decipher.update(bytes.subarray(headSize + nonceSize, tagAt));
    decipher.final();
    return plain;
  } catch {
    return undefined;
  }
}

/** Header fields in which a destination is told who the client is. */
import { listElements, type BodySink, type BodySource, type HeaderList } from "@proxy/http";

/**
 * A claim as the value of a field: what is not visible ASCII, `%` and the comma are percent-encoded UTF-8, blanks at both ends too; several
 * values are separated by commas. So no claim ends the field, reads as two, or as another claim. Undefined: there is nothing to say.
 */
export function fieldValue(values: readonly string[]): string | undefined {
  const written = values.filter((value) => value !== "").map(encoded);
  return written.length === 0 ? undefined : written.join(",");
}

const plain = /^[!-$&-+\--~](?:[ -$&-+\--~]*[!-$&-+\--~])?$/;

function encoded(value: string): string {
  if (plain.test(value)) return value;
  return value.toWellFormed().replaceAll(/[^ -$&-+\--~]|^ | $/gu, encodeURIComponent);
}

/**
 * Names that clients must not send, and what applications read as one of them, too: CGI, and all that came of it, takes `_` for `-`, some of its heirs whatever else
 * is no letter and no digit.
 */
export class ReservedFields {
  readonly #keys: ReadonlySet<string>;
  /** Spellings of a name are as long as it is. */
  readonly #lengths: ReadonlySet<number>;

  constructor(names: readonly string[]) {
    this.#keys = new Set(names.map(normal));
    this.#lengths = new Set(names.map(({ length }) => length));
  }

  get size(): number {
    return this.#keys.size;
  }

  has(key: string): boolean {
    return this.#lengths.has(key.length) && (this.#keys.has(key) || this.#keys.has(normal(key)));
  }

  /** `headers` without them, the same list where there is none. */
  strip(headers: HeaderList): HeaderList {
    for (let i = 0; i < headers.size; i++) {
      if (!this.has(headers.keyAt(i))) continue;
      const kept = headers.copy();
      kept.filter((key) => !this.has(key));
      return kept;
    }
    return headers;
  }
}

function normal(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, "-");
}

/**
 * Takes the names of fields that are the gateway's own out of Connection: what it names ends at the gateway (RFC 9110, 7.6.1), and a client that names what the gateway
 * fills would have the destination see a request of nobody.
 */
export function removeFromConnection(headers: HeaderList, isOwn: (key: string) => boolean): void {
  for (let i = headers.indexOf("connection"); i >= 0; i = headers.indexOf("connection", i + 1)) {
    const named = listElements(headers.valueAt(i));
    const kept = named.filter((name) => !isOwn(name.toLowerCase()));
    if (kept.length < named.length) headers.setValueAt(i, kept.join(", "));
  }
}

/** A body whose trailers do not hold them: applications that merge trailers into the head would believe them. */
export class BodyWithoutFields implements BodySource {
  readonly #source: BodySource;
  readonly #fields: ReservedFields;

  constructor(source: BodySource, fields: ReservedFields) {
    this.#source = source;
    this.#fields = fields;
  }

  get length(): number | undefined {
    return this.#source.length;
  }

  get started(): boolean {
    return this.#source.started;
  }

  read(sink: BodySink): void {
    const fields = this.#fields;
    this.#source.read({
      onData: (chunk) => sink.onData(chunk),
      onEnd(trailers) {
        const kept = trailers === undefined ? undefined : fields.strip(trailers);
        sink.onEnd(kept === undefined || kept.size === 0 ? undefined : kept);
      },
      onError: (error) => sink.onError(error),
    });
  }

  pause(): void {
    this.#source.pause();
  }

  resume(): void {
    this.#source.resume();
  }

  cancel(): void {
    this.#source.cancel();
  }
}


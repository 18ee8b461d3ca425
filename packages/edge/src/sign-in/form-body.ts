import type { Exchange } from "@proxy/http";

/**
 * The parameters of a form (`application/x-www-form-urlencoded`) of at most `largest` bytes; undefined for everything else, a body that breaks off among it.
 */
export function readForm({ request, body }: Exchange, largest: number): Promise<URLSearchParams | undefined> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (body === undefined || type !== "application/x-www-form-urlencoded" || (body.length ?? 0) > largest) {
    body?.cancel();
    return Promise.resolve(undefined);
  }
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    body.read({
      onData(chunk) {
        size += chunk.length;
        if (size > largest) {
          body.cancel();
          resolve(undefined);
        } else chunks.push(Buffer.from(chunk));
        return true;
      },
      onEnd: () => resolve(new URLSearchParams(Buffer.concat(chunks).toString("utf8"))),
      onError: () => resolve(undefined),
    });
  });
}

import type { Request, Response } from "express";
import { addBodyTransform, forwardNode, type Transformer } from "@proxy/forwarder";
import { bytesBody, type HttpClient } from "@proxy/http";
import { createTransformer, transforms } from "@proxy/pipeline";

// A text in pages, whatever their content coding, chunk by chunk
export const replaced = createTransformer([transforms.responseBodyReplace("http://internal.test", { with: "https://shop.example" })]);

// One place in JSON
export const withoutPassword = createTransformer([transforms.responseBodyJson("/password", { remove: true })]);

// responseInterceptor(async (buffer, proxyRes, req, res) => …): the whole body in a buffer
export function intercepted(change: (body: Buffer, status: number) => Promise<Buffer | string>): Transformer {
  return createTransformer([], {
    response(_exchange, response) {
      const chunks: Uint8Array[] = [];
      addBodyTransform(response, {
        chunk: (chunk) => void chunks.push(chunk),
        end: async () => Buffer.from(await change(Buffer.concat(chunks), response.status)),
      });
    },
  });
}

// selfHandleResponse: true, and an answer of one's own in the proxyRes event
export const ownNotFound = createTransformer([], {
  response(exchange, response, destination) {
    if (destination?.status !== 404) return;
    response.status = 200;
    response.headers.set("Content-Type", "text/plain");
    response.headers.remove("content-length");
    addBodyTransform(response, { chunk: () => undefined, end: () => Buffer.from(`nothing at ${exchange.request.path}\n`) });
  },
});

// fixRequestBody, or buffer: a body parser ran before
export function afterBodyParser(req: Request, res: Response, client: HttpClient, address: string) {
  return forwardNode(req, res, address, client, { body: bytesBody(JSON.stringify(req.body)) });
}

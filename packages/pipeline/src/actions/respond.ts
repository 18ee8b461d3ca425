import type { ConfigIssue, RespondAction, RouteConfig } from "@proxy/config";
import { HeaderList } from "@proxy/http";
import { contentTypeOf, readBodyFile } from "../body-file.ts";
import type { ProxyContext } from "../context.ts";

/**
 * Prepares the answer of a `Respond` route, whose form the configuration's own checks have seen. The body file is read
 * here, once, a relative one from the working directory (readers of files have made it absolute); when it cannot be, that goes to `issues`. A body has `Content-Type: text/plain; charset=utf-8` unless
 * set, that of a file follows from its extension.
 */
export function compileRespond(
  route: RouteConfig,
  action: RespondAction,
  issues: ConfigIssue[],
): (ctx: ProxyContext) => void {
  const status = action.statusCode ?? 200;
  const headers = HeaderList.from(Object.entries(action.headers ?? {}));
  let body: Uint8Array | undefined;
  if (action.bodyFile) {
    body = readBodyFile(action.bodyFile, (message) => {
      issues.push({
        code: "respond-body-file",
        severity: "error",
        message: `${message} (route '${route.routeId}')`,
        entity: { kind: "route", id: route.routeId },
        path: ["Respond", "BodyFile"],
        value: action.bodyFile,
      });
    });
  } else if (action.body) body = Buffer.from(action.body, "utf8");
  if (body !== undefined && !headers.has("content-type")) headers.append("Content-Type", contentTypeOf(action.bodyFile));
  if (body === undefined && status !== 204 && status !== 304) headers.append("Content-Length", "0");
  return (ctx) => ctx.exchange.response.send({ status, headers: headers.copy() }, body);
}

/** The whole gateway in a process of its own: `gateway-process.ts <library> <configuration>`. Reports when asked; ends with its parent. */
import { startGateway } from "../../support/running-gateway.ts";
import { reportWhenAsked } from "./process-report.ts";

const [libraryPath, file] = process.argv.slice(2) as [string, string];
const gateway = await startGateway([file], { urls: "", logLevel: "Warning" });
reportWhenAsked(libraryPath, () => ({ logged: gateway.log.length }));
process.on("disconnect", () => void gateway[Symbol.asyncDispose]().then(() => process.exit(0)));
process.send?.("ready");

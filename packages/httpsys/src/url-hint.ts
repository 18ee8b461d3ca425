import { userInfo } from "node:os";
import { errorCode } from "./abi/constants.ts";
import type { UrlPrefix } from "./url-prefix.ts";

/** What can be done about a prefix that HTTP.sys did not register, in commands for PowerShell and the command prompt alike. */
export function urlHint(code: number, { text, port }: UrlPrefix): string | undefined {
  switch (code) {
    case errorCode.ERROR_ACCESS_DENIED:
      return (
        `this account may not listen on ${text}; as administrator, allow it with: netsh http add urlacl url=${text} user="${accountName()}" ` +
        `(where that says that the reservation exists, it is another account's: netsh http show urlacl)`
      );
    case errorCode.ERROR_ALREADY_EXISTS:
      return `${text} is registered by another process or server: netsh http show servicestate`;
    case errorCode.ERROR_SHARING_VIOLATION:
      return `port ${port} is taken by a program that does not use HTTP.sys: netstat -ano -p tcp tells its process id`;
    case errorCode.ERROR_INVALID_PARAMETER:
      return `HTTP.sys takes no such prefix: scheme://host:port/path/ with a host that it can match, and path segments of at most 260 characters`;
    default:
      return undefined;
  }
}

/** Accounts of services that belong to the system, whatever the domain of the machine; their names are those of an English Windows. */
const systemAccounts: ReadonlySet<string> = new Set(["network service", "local service", "system"]);

/** The account that this process runs under, as `netsh` takes it. */
export function accountName(user: () => string = () => userInfo().username, domain: string | undefined = process.env["USERDOMAIN"]): string {
  let name: string;
  try {
    name = user();
  } catch {
    return "DOMAIN\\user";
  }
  if (systemAccounts.has(name.toLowerCase())) return `NT AUTHORITY\\${name.toUpperCase()}`;
  return domain === undefined ? name : `${domain}\\${name}`;
}

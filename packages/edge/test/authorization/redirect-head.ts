import { HeaderList } from "@proxy/http";

export const redirectHead = { status: 302, headers: HeaderList.from([["Location", "/login"]]) };

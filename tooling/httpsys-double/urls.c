/* URL prefixes: which there are, and which of them a request belongs to. */
#include "double.h"

/* UTF-16 to bytes; 0 when it does not fit or is not ASCII. */
int narrow(uint64_t wide, char *to, size_t size) {
  const uint16_t *from = AT(wide);
  size_t i = 0;
  for (; from[i]; i++) {
    if (from[i] > 126 || from[i] < 32 || i + 1 >= size) return 0;
    to[i] = (char)from[i];
  }
  to[i] = 0;
  return 1;
}

/* scheme://host:port/path/ */
static int parseUrl(const char *text, Url *url) {
  char host[256] = { 0 };
  if (strncasecmp(text, "http://", 7) && strncasecmp(text, "https://", 8)) return 0;
  const char *at = strstr(text, "://") + 3;
  const char *hostEnd = *at == '[' ? strchr(at, ']') : strchr(at, ':');
  if (!hostEnd) return 0;
  if (*at == '[') hostEnd++;
  size_t length = (size_t)(hostEnd - at);
  if (length == 0 || length >= sizeof host || *hostEnd != ':') return 0;
  memcpy(host, at, length);
  char *end;
  long port = strtol(hostEnd + 1, &end, 10);
  if (end == hostEnd + 1 || port < 1 || port > 65535 || *end != '/') return 0;
  snprintf(url->path, sizeof url->path, "%s", end);
  if (url->path[strlen(url->path) - 1] != '/') return 0;
  struct in_addr address;
  url->kind = !strcmp(host, "+") ? 0 : !strcmp(host, "*") ? 3 : host[0] == '[' || inet_pton(AF_INET, host, &address) == 1 ? 2 : 1;
  url->port = (int)port;
  memcpy(url->host, host, sizeof host);
  snprintf(url->text, sizeof url->text, "%s", text);
  return 1;
}

EXPORT uint32_t HttpAddUrlToUrlGroup(uint64_t id, uint64_t wide, uint64_t context, uint32_t reserved) {
  pthread_mutex_lock(&lock);
  Group *group = findGroup(id);
  if (!group || reserved || !wide) return out(refuse(ERROR_INVALID_PARAMETER, "no such URL group, no URL, or reserved is not 0"));
  Url *url = calloc(1, sizeof *url);
  char text[1400];
  if (!narrow(wide, text, sizeof text) || !parseUrl(text, url)) {
    free(url);
    return out(refuse(ERROR_INVALID_PARAMETER, "the prefix is not scheme://host:port/path/ with a trailing slash"));
  }
  if (url->port < 1024 && !getenv("HTTPSIM_LOW_PORTS")) {
    free(url);
    return out(refuse(ERROR_ACCESS_DENIED, "ports below 1024 stand for prefixes that nobody reserved for this account"));
  }
  for (Group *other = groups; other; other = other->next) {
    for (Url *taken = other->urls; taken; taken = taken->next) {
      if (strcasecmp(taken->text, text)) continue;
      free(url);
      return out(refuse(ERROR_ALREADY_EXISTS, "the prefix is registered already"));
    }
  }
  url->claim = claimUrl(text);
  if (url->claim < 0) {
    free(url);
    return out(refuse(ERROR_ALREADY_EXISTS, "another process has registered the prefix"));
  }
  int failed = openListener(url->port);
  if (failed) {
    close(url->claim);
    free(url);
    return out(refuse(failed == EADDRINUSE ? ERROR_SHARING_VIOLATION : ERROR_ACCESS_DENIED, "the port cannot be had: %s", strerror(failed)));
  }
  url->context = context;
  url->next = group->urls;
  group->urls = url;
  return out(0);
}

EXPORT uint32_t HttpRemoveUrlFromUrlGroup(uint64_t id, uint64_t wide, uint32_t flags) {
  pthread_mutex_lock(&lock);
  Group *group = findGroup(id);
  if (!group) return out(refuse(ERROR_INVALID_PARAMETER, "no URL group has this id"));
  if (flags & HTTP_URL_FLAG_REMOVE_ALL) {
    if (wide) return out(refuse(ERROR_INVALID_PARAMETER, "REMOVE_ALL together with a URL"));
    freeUrls(group);
    return out(0);
  }
  char text[1400];
  if (!wide || !narrow(wide, text, sizeof text)) return out(refuse(ERROR_INVALID_PARAMETER, "no URL"));
  for (Url **at = &group->urls; *at; at = &(*at)->next) {
    if (strcasecmp((*at)->text, text)) continue;
    Url *url = *at;
    *at = url->next;
    close(url->claim);
    free(url);
    closeListenersWithoutUrl();
    return out(0);
  }
  return out(refuse(ERROR_FILE_NOT_FOUND, "the prefix is not in this group"));
}

static int hostMatches(const Url *url, const char *host, size_t length) {
  if (url->kind != 1) return 1;
  return strlen(url->host) == length && !strncasecmp(url->host, host, length);
}

Url *route(Queue *only, int port, const char *host, const char *path, Group **in) {
  const char *colon = host[0] == '[' ? strchr(host, ']') : strchr(host, ':');
  size_t hostLength = colon ? (size_t)(colon - host) + (*colon == ']') : strlen(host);
  Url *best = NULL;
  for (Group *group = groups; group; group = group->next) {
    if (only && group->queue != only->handle) continue;
    for (Url *url = group->urls; url; url = url->next) {
      size_t length = strlen(url->path);
      int whole = !strncasecmp(url->path, path, length) || (strlen(path) == length - 1 && !strncasecmp(url->path, path, length - 1)) || !strcmp(path, "*");
      if (url->port != port || !whole || !hostMatches(url, host, hostLength)) continue;
      if (best && (best->kind < url->kind || (best->kind == url->kind && strlen(best->path) >= length))) continue;
      best = url;
      *in = group;
    }
  }
  return best;
}

EXPORT uint32_t HttpFindUrlGroupId(uint64_t wide, uint64_t handle, uint64_t *id) {
  pthread_mutex_lock(&lock);
  if (!initialized) return out(refuse(ERROR_DLL_INIT_FAILED, "HttpInitialize was not called"));
  char text[1400];
  if (!id || !wide || !narrow(wide, text, sizeof text)) return out(refuse(ERROR_INVALID_PARAMETER, "no URL, or no place for the id"));
  for (Group *group = groups; group; group = group->next)
    for (Url *url = group->urls; url; url = url->next)
      if (group->queue == handle && !strcasecmp(url->text, text)) { *id = group->id; return out(0); }
  return out(refuse(ERROR_NOT_FOUND, "no URL group of the queue has this URL"));
}

void freeUrls(Group *group) {
  while (group->urls) { Url *url = group->urls; group->urls = url->next; close(url->claim); free(url); }
  closeListenersWithoutUrl();
}

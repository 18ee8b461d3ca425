/* Properties of server sessions, URL groups and queues. */
#include "double.h"

static uint32_t setBinding(Group *group, const HTTP_BINDING_INFO *info) {
  if (!info->Flags.Present) { group->queue = 0; return 0; }
  Queue *queue = findQueue(info->RequestQueueHandle);
  if (!queue) return refuse(ERROR_INVALID_HANDLE, "no queue has this handle");
  if (queue->flags & HTTP_CREATE_REQUEST_QUEUE_FLAG_DELEGATION) return refuse(ERROR_INVALID_PARAMETER, "the queue was opened for delegation");
  group->queue = queue->handle;
  return 0;
}

static uint32_t setDelegation(Group *group, const HTTP_BINDING_INFO *info) {
  for (Rule **at = &group->rules; *at; at = &(*at)->next) {
    if ((*at)->target != info->RequestQueueHandle) continue;
    if (info->Flags.Present) return refuse(ERROR_ALREADY_EXISTS, "this handle has a rule already");
    Rule *rule = *at;
    *at = rule->next;
    free(rule);
    return 0;
  }
  if (!info->Flags.Present) return refuse(ERROR_NOT_FOUND, "this handle has no rule in the group");
  Queue *target = findQueue(info->RequestQueueHandle);
  if (!target) return refuse(ERROR_INVALID_HANDLE, "no queue has this handle");
  if (!(target->flags & HTTP_CREATE_REQUEST_QUEUE_FLAG_DELEGATION)) return refuse(ERROR_INVALID_PARAMETER, "the target was opened without DELEGATION");
  for (Group *other = groups; other; other = other->next) {
    for (Rule *rule = other->rules; rule; rule = rule->next) {
      Queue *queue = findQueue(rule->target);
      if (queue && !strcasecmp(queue->name, target->name)) return refuse(ERROR_ALREADY_EXISTS, "a rule for this queue exists");
    }
  }
  Rule *rule = calloc(1, sizeof *rule);
  rule->target = target->handle;
  rule->next = group->rules;
  group->rules = rule;
  return 0;
}

#define SIZED(type) do { if (!value || length != sizeof(type)) return out(refuse(ERROR_INVALID_PARAMETER, "the property is not a " #type)); } while (0)

EXPORT uint32_t HttpSetUrlGroupProperty(uint64_t id, int32_t property, uint64_t value, uint32_t length) {
  pthread_mutex_lock(&lock);
  Group *group = findGroup(id);
  if (!group) return out(refuse(ERROR_INVALID_PARAMETER, "no URL group has this id"));
  switch (property) {
    case HttpServerBindingProperty: SIZED(HTTP_BINDING_INFO); return out(setBinding(group, AT(value)));
    case HttpServerDelegationProperty: SIZED(HTTP_BINDING_INFO); return out(setDelegation(group, AT(value)));
    case HttpServerTimeoutsProperty: SIZED(HTTP_TIMEOUT_LIMIT_INFO); group->timeouts = *(HTTP_TIMEOUT_LIMIT_INFO *)AT(value); return out(0);
    case HttpServerQosProperty: {
      SIZED(HTTP_QOS_SETTING_INFO);
      const HTTP_QOS_SETTING_INFO *info = AT(value);
      if (info->QosType != 1) return out(refuse(ERROR_NOT_SUPPORTED, "only the connection limit"));
      const HTTP_CONNECTION_LIMIT_INFO *limit = AT(info->QosSetting);
      group->connections = limit->Flags.Present ? limit->MaxConnections : 0;
      return out(0);
    }
    case HttpServerStateProperty: SIZED(HTTP_STATE_INFO); return out(0);
    default: return out(refuse(ERROR_NOT_SUPPORTED, "property %d of a URL group", property));
  }
}

EXPORT uint32_t HttpQueryUrlGroupProperty(uint64_t id, int32_t property, uint64_t value, uint32_t length, uint32_t *returned) {
  pthread_mutex_lock(&lock);
  Group *group = findGroup(id);
  if (!group) return out(refuse(ERROR_INVALID_PARAMETER, "no URL group has this id"));
  if (property != HttpServerTimeoutsProperty) return out(refuse(ERROR_NOT_SUPPORTED, "property %d of a URL group", property));
  SIZED(HTTP_TIMEOUT_LIMIT_INFO);
  *(HTTP_TIMEOUT_LIMIT_INFO *)AT(value) = group->timeouts;
  if (returned) *returned = sizeof group->timeouts;
  return out(0);
}

EXPORT uint32_t HttpSetServerSessionProperty(uint64_t id, int32_t property, uint64_t value, uint32_t length) {
  pthread_mutex_lock(&lock);
  if (!findSession(id) || !value || !length) return out(refuse(ERROR_INVALID_PARAMETER, "no server session has this id, or no value"));
  if (property == HttpServerTimeoutsProperty) { SIZED(HTTP_TIMEOUT_LIMIT_INFO); return out(0); }
  return out(refuse(ERROR_NOT_SUPPORTED, "property %d of a server session", property));
}

EXPORT uint32_t HttpSetRequestQueueProperty(uint64_t handle, int32_t property, uint64_t value, uint32_t length, uint32_t reserved1, uint64_t reserved2) {
  pthread_mutex_lock(&lock);
  Queue *queue = findQueue(handle);
  if (!queue) return out(refuse(ERROR_INVALID_HANDLE, "no queue has this handle"));
  if (!value || length != 4 || reserved1 || reserved2) return out(refuse(ERROR_INVALID_PARAMETER, "the value is not a ULONG, or a reserved one is not 0"));
  uint32_t number = *(uint32_t *)AT(value);
  switch (property) {
    case HttpServerQueueLengthProperty: if (!number) return out(refuse(ERROR_INVALID_PARAMETER, "a queue of length 0")); queue->limit = number; return out(0);
    case HttpServer503VerbosityProperty: if (number > 2) return out(refuse(ERROR_INVALID_PARAMETER, "no such verbosity")); queue->verbosity = number; return out(0);
    case HttpServerStateProperty: return out(0);
    default: return out(refuse(ERROR_NOT_SUPPORTED, "property %d of a queue", property));
  }
}

EXPORT uint32_t HttpQueryRequestQueueProperty(uint64_t handle, int32_t property, uint32_t *value, uint32_t length, uint32_t reserved1, uint32_t *returned, uint64_t reserved2) {
  pthread_mutex_lock(&lock);
  Queue *queue = findQueue(handle);
  if (!queue) return out(refuse(ERROR_INVALID_HANDLE, "no queue has this handle"));
  if (!value || length != 4 || reserved1 || reserved2) return out(refuse(ERROR_INVALID_PARAMETER, "the value is not a ULONG, or a reserved one is not 0"));
  if (property == HttpServerQueueLengthProperty) *value = queue->limit;
  else if (property == HttpServer503VerbosityProperty) *value = queue->verbosity;
  else return out(refuse(ERROR_NOT_SUPPORTED, "property %d of a queue", property));
  if (returned) *returned = 4;
  return out(0);
}

/* Reading a plugin's config, in C11 and C++: a config is small JSON that the host has checked
 * against the schema of the manifest and filled with its defaults, so this reads and does not
 * validate in full. It allocates nothing: values are ranges of the config's own bytes.
 *
 *   rz_bytes value;
 *   uint64_t depth = 8;
 *   if (rz_config_get(config, "queue_depth", &value) == RZ_OK)
 *     code = rz_config_uint(value, &depth);
 *
 * Bounds: 32 levels of nesting; any number of bytes. Every function is reentrant. */
#ifndef RHIZOME_CONFIG_H_
#define RHIZOME_CONFIG_H_

#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rhizome/abi.h"
#include "rhizome/config_text.h"

#ifdef __cplusplus
extern "C" {
#endif

#define RZ_CONFIG_MAX_DEPTH 32u

static inline const char* rz_config_blank(const char* at, const char* end) {
  while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) ++at;
  return at;
}

/* Behind the string that begins at `at`; NULL where it does not end. */
static inline const char* rz_config_skip_string(const char* at, const char* end) {
  for (++at; at < end; ++at) {
    if (*at == '"') return at + 1;
    if (*at == '\\') ++at;
  }
  return NULL;
}

/* Behind the value that begins at `at`; NULL where it is cut short or nested too deep. Iterative:
 * the depth of hostile input costs no stack. */
static inline const char* rz_config_skip(const char* at, const char* end) {
  char open[RZ_CONFIG_MAX_DEPTH];
  unsigned depth = 0;
  do {
    at = rz_config_blank(at, end);
    if (at >= end) return NULL;
    if (*at == '{' || *at == '[') {
      if (depth == RZ_CONFIG_MAX_DEPTH) return NULL;
      open[depth++] = *at++ == '{' ? '}' : ']';
    } else if (*at == '}' || *at == ']') {
      if (depth == 0 || open[--depth] != *at) return NULL;
      ++at;
    } else if (*at == '"') {
      at = rz_config_skip_string(at, end);
      if (at == NULL) return NULL;
    } else if (*at == ',' || *at == ':') {
      if (depth == 0) return NULL;
      ++at;
    } else {
      const char* first = at;
      while (at < end && strchr(",:]}[{\" \t\n\r", *at) == NULL) ++at;
      if (at == first) return NULL;
    }
  } while (depth != 0);
  return at;
}

/* The elements of an array, or the members of an object with their keys (as written, between the
 * quotes; `key` is empty for an array). *position starts at 0. RZ_OK with the next one, RZ_END
 * behind the last, RZ_INVALID where `container` is no array or object or is malformed. */
static inline int32_t rz_config_next(rz_bytes container, uint64_t* position, rz_bytes* key,
                                     rz_bytes* value) {
  const char* const begin = (const char*)container.data;
  const char* const end = begin + container.size;
  const char* at = rz_config_blank(begin + *position, end);
  if (*position == 0 && (at >= end || (*at != '{' && *at != '['))) return RZ_INVALID;
  const char* const first = rz_config_blank(begin, end);
  const char close = *first == '{' ? '}' : ']';
  if (at == first) {
    ++at;
  } else if (at < end && *at == ',') {
    ++at;
  } else if (at >= end || *at != close) {
    return RZ_INVALID;
  }
  at = rz_config_blank(at, end);
  if (at < end && *at == close) return RZ_END;
  key->data = at;
  key->size = 0;
  if (close == '}') {
    const char* const quote = at;
    if (at >= end || *at != '"') return RZ_INVALID;
    at = rz_config_skip_string(at, end);
    if (at == NULL) return RZ_INVALID;
    key->data = quote + 1;
    key->size = (uint64_t)(at - quote) - 2;
    at = rz_config_blank(at, end);
    if (at >= end || *at != ':') return RZ_INVALID;
    at = rz_config_blank(at + 1, end);
  }
  value->data = at;
  at = rz_config_skip(at, end);
  if (at == NULL) return RZ_INVALID;
  value->size = (uint64_t)(at - (const char*)value->data);
  *position = (uint64_t)(at - begin);
  return RZ_OK;
}

/* The value of a key that needs no escapes. RZ_NOT_FOUND where the object lacks it; an empty config
 * is an object without members. */
static inline int32_t rz_config_get(rz_bytes object, const char* key, rz_bytes* value) {
  uint64_t position = 0;
  rz_bytes name = {NULL, 0};
  int32_t code = RZ_END;
  if (object.size == 0) return RZ_NOT_FOUND;
  while ((code = rz_config_next(object, &position, &name, value)) == RZ_OK)
    if (name.size == strlen(key) && memcmp(name.data, key, (size_t)name.size) == 0) return RZ_OK;
  return code == RZ_END ? RZ_NOT_FOUND : code;
}

static inline int32_t rz_config_bool(rz_bytes value, uint32_t* out) {
  if (value.size == 4 && memcmp(value.data, "true", 4) == 0) return *out = 1, RZ_OK;
  if (value.size == 5 && memcmp(value.data, "false", 5) == 0) return *out = 0, RZ_OK;
  return RZ_INVALID;
}

/* RZ_INVALID for what is not a whole number from 0 to 2^64 - 1. */
static inline int32_t rz_config_uint(rz_bytes value, uint64_t* out) {
  const char* const digits = (const char*)value.data;
  uint64_t number = 0;
  if (value.size == 0) return RZ_INVALID;
  for (uint64_t i = 0; i < value.size; ++i) {
    const unsigned digit = (unsigned)(digits[i] - '0');
    if (digit > 9 || number > (UINT64_MAX - digit) / 10) return RZ_INVALID;
    number = number * 10 + digit;
  }
  *out = number;
  return RZ_OK;
}

/* RZ_INVALID for what is no number or has more than 63 bytes. */
static inline int32_t rz_config_number(rz_bytes value, double* out) {
  char text[64];
  char* rest = NULL;
  double number = 0;
  if (value.size == 0 || value.size >= sizeof text) return RZ_INVALID;
  memcpy(text, value.data, (size_t)value.size);
  text[value.size] = '\0';
  if (strchr("-0123456789", text[0]) == NULL || strpbrk(text, "xXpPnN") != NULL) return RZ_INVALID;
  number = strtod(text, &rest);
  if (*rest == '.') { /* the process has a locale with another decimal sign */
    *rest = *localeconv()->decimal_point;
    number = strtod(text, &rest);
  }
  if (*rest != '\0') return RZ_INVALID;
  *out = number;
  return RZ_OK;
}

#ifdef __cplusplus
}
#endif

#endif /* RHIZOME_CONFIG_H_ */

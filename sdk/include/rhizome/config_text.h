/* Strings of a config without their quotes and escapes: the part of rhizome/config.h that decodes.
 */
#ifndef RHIZOME_CONFIG_TEXT_H_
#define RHIZOME_CONFIG_TEXT_H_

#include <stdint.h>
#include <string.h>

#include "rhizome/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

static inline uint64_t rz_config_put_utf8(uint32_t point, char* out) {
  if (point < 0x80) return out[0] = (char)point, 1;
  if (point < 0x800) {
    out[0] = (char)(0xc0u | point >> 6);
    out[1] = (char)(0x80u | (point & 0x3fu));
    return 2;
  }
  if (point < 0x10000) {
    out[0] = (char)(0xe0u | point >> 12);
    out[1] = (char)(0x80u | (point >> 6 & 0x3fu));
    out[2] = (char)(0x80u | (point & 0x3fu));
    return 3;
  }
  out[0] = (char)(0xf0u | point >> 18);
  out[1] = (char)(0x80u | (point >> 12 & 0x3fu));
  out[2] = (char)(0x80u | (point >> 6 & 0x3fu));
  out[3] = (char)(0x80u | (point & 0x3fu));
  return 4;
}

static inline int32_t rz_config_hex4(const char* at, const char* end, uint32_t* out) {
  if (end - at < 4) return RZ_INVALID;
  *out = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = at[i];
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return RZ_INVALID;
    *out = *out << 4 | (uint32_t)digit;
  }
  return RZ_OK;
}

/* The escape behind the backslash at `*at`, moved behind it; its bytes (at most 4) to `out`. */
static inline int32_t rz_config_escape(const char** at, const char* end, char* out,
                                       uint64_t* count) {
  static const char kFrom[] = "\"\\/bfnrt", kTo[] = "\"\\/\b\f\n\r\t";
  uint32_t point = 0, low = 0;
  const char* simple = NULL;
  if (*at >= end) return RZ_INVALID;
  simple = **at != '\0' ? strchr(kFrom, **at) : NULL;
  if (simple != NULL) {
    out[0] = kTo[simple - kFrom];
    *count = 1;
    ++*at;
    return RZ_OK;
  }
  if (**at != 'u' || rz_config_hex4(*at + 1, end, &point) != RZ_OK) return RZ_INVALID;
  *at += 5;
  if (point >= 0xdc00 && point < 0xe000) return RZ_INVALID;
  if (point >= 0xd800 && point < 0xdc00) {
    if (end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u' ||
        rz_config_hex4(*at + 2, end, &low) != RZ_OK || low < 0xdc00 || low > 0xdfff)
      return RZ_INVALID;
    point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
    *at += 6;
  }
  *count = rz_config_put_utf8(point, out);
  return RZ_OK;
}

/* A string without its quotes and escapes, as UTF-8, not NUL-ended: *size bytes to `buffer`.
 * RZ_LIMIT over `capacity`; value.size bytes are always enough. */
static inline int32_t rz_config_text(rz_bytes value, char* buffer, uint64_t capacity,
                                     uint64_t* size) {
  const char* at = (const char*)value.data;
  const char* const end = at + value.size - 1;
  char bytes[4];
  uint64_t count = 0;
  *size = 0;
  if (value.size < 2 || *at != '"' || *end != '"') return RZ_INVALID;
  for (++at; at < end;) {
    if (*at == '\\') {
      ++at;
      if (rz_config_escape(&at, end, bytes, &count) != RZ_OK) return RZ_INVALID;
    } else {
      bytes[0] = *at++;
      count = 1;
    }
    if (*size + count > capacity) return RZ_LIMIT;
    memcpy(buffer + *size, bytes, (size_t)count);
    *size += count;
  }
  return RZ_OK;
}

#ifdef __cplusplus
}
#endif

#endif /* RHIZOME_CONFIG_TEXT_H_ */

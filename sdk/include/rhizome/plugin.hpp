// Writing a plugin in C++: error blocks, the guard that keeps exceptions inside, host services, and
// the exported symbol. Each kind has its own header on top (store.hpp, transport.hpp, ...).
#pragma once

#include <algorithm>
#include <cstring>
#include <exception>
#include <initializer_list>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "rhizome/abi.h"
#include "rhizome/abi/host.h"
#include "rhizome/bytes.hpp"
#include "rhizome/status.hpp"

namespace rhizome::plugin {

// Fills the caller's error block (which may be NULL) and returns the code. `position` is 1 + the
// offset in the input that the failure is about, 0 where there is none.
inline std::int32_t fail(rz_error* error, std::int32_t code, std::string_view message,
                         std::uint64_t position = 0) noexcept {
  if (error != nullptr) {
    error->position = position;
    const std::size_t size = std::min(message.size(), sizeof error->message - 1);
    std::memcpy(error->message, message.data(), size);
    error->message[size] = '\0';
  }
  return code;
}

inline std::int32_t to_abi(const Status& status, rz_error* error) noexcept {
  if (status.ok()) return RZ_OK;
  return fail(error, static_cast<std::int32_t>(status.code()), status.message(), status.position());
}

// Runs `body` (returning Status or an ABI code) so that no exception leaves the plugin: one that
// crosses the boundary would abort a host whose libstdc++ is another copy. Inlined always: else
// every call packs and unpacks what the body captured, which is most of what crossing the boundary
// costs.
template <typename Body>
[[gnu::always_inline]] inline std::int32_t guard(rz_error* error, Body&& body) noexcept {
  try {
    if constexpr (std::is_same_v<decltype(body()), Status>) {
      return to_abi(body(), error);
    } else {
      return body();
    }
  } catch (const std::bad_alloc&) {
    return fail(error, RZ_LIMIT, "out of memory");
  } catch (const std::exception& e) {
    return fail(error, RZ_INTERNAL, e.what());
  } catch (...) {
    return fail(error, RZ_INTERNAL, "an exception that is no std::exception");
  }
}

// The host of one instance, as given to its `open`. Copied freely; valid until the instance's
// `close` returns. Services are NULL where this host lacks them.
class Host {
 public:
  Host() = default;
  explicit Host(const rz_host* host) : host_(host) {}

  template <typename Table>
  const Table* service(const char* id) const {
    return host_ ? static_cast<const Table*>(host_->get_interface(host_->context, id)) : nullptr;
  }
  void log(std::uint32_t level, std::string_view line) const {
    if (const auto* table = service<rz_host_log>(RZ_HOST_LOG_ID))
      table->write(table->context, level, rhizome::to_abi(line));
  }

 private:
  const rz_host* host_ = nullptr;
};

struct Interface {
  const char* id;
  const void* table;
};
inline const void* find_interface(const char* id, std::initializer_list<Interface> interfaces) {
  for (const Interface& candidate : interfaces)
    if (std::strcmp(candidate.id, id) == 0) return candidate.table;
  return nullptr;
}

}  // namespace rhizome::plugin

// The one exported symbol. Arguments: pairs of interface id and pointer to its frozen table.
//   RHIZOME_PLUGIN({RZ_STORE_ID, &kStoreTable})
#define RHIZOME_PLUGIN(...)                                                                    \
  extern "C" {                                                                                 \
  extern __attribute__((visibility("default"))) const rz_plugin rhizome_plugin;                \
  }                                                                                            \
  const rz_plugin rhizome_plugin = {RZ_ABI_MAJOR, 0, [](const char* rz_id) -> const void* {    \
                                      return ::rhizome::plugin::find_interface(rz_id,          \
                                                                               {__VA_ARGS__}); \
                                    }};

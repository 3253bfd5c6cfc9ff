// Reads the config that the manifest's schema describes. The only file here that sees the JSON
// library; called on the host's main thread, for local config only.
#include "zeromq/options.hpp"

#include <nlohmann/json.hpp>

namespace rhizome::zeromq {
namespace {

using Json = nlohmann::json;

struct Count {
  const char* key;
  std::uint64_t low, high;
  std::uint64_t Options::*value;
};
constexpr Count kCounts[] = {
    {"heartbeat_ms", 50, 60'000, &Options::heartbeat_ms},
    {"silence_ms", 200, 600'000, &Options::silence_ms},
    {"window_bytes", 8U << 20U, 1U << 30U, &Options::window_bytes},
    {"requests_per_peer", 1, 65'536, &Options::requests_per_peer},
    {"max_peers", 1, 1024, &Options::max_peers},
};

Status wrong(const std::string& key, const std::string& expected, const Json& found) {
  return {Code::kInvalid,
          "zeromq transport: config key '" + key + "': expected " + expected + ", found " +
              found.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 80)};
}

Status read_key(const std::string& key, const Json& value, Options* options) {
  if (key == "listen") {
    if (!value.is_string()) return wrong(key, "an address", value);
    options->listen = value.get<std::string>();
    return check_address(options->listen, true).with_context("config key 'listen'");
  }
  for (const Count& count : kCounts) {
    if (key != count.key) continue;
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() < count.low ||
        value.get<std::uint64_t>() > count.high)
      return wrong(
          key, "an integer from " + std::to_string(count.low) + " to " + std::to_string(count.high),
          value);
    options->*count.value = value.get<std::uint64_t>();
    return {};
  }
  return {Code::kInvalid, "zeromq transport: unknown config key '" + key +
                              "'; known: listen, heartbeat_ms, silence_ms, window_bytes, "
                              "requests_per_peer, max_peers"};
}

bool is_port(ByteView text, bool listening) {
  if (listening && (text == "*" || text == "0")) return true;
  if (text.empty() || text.size() > 5 || text[0] == '0') return false;
  unsigned long port = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    port = port * 10 + static_cast<unsigned long>(c - '0');
  }
  return port <= 65'535;
}

}  // namespace

Status check_address(ByteView address, bool listening) {
  constexpr std::string_view kTcp = "tcp://", kIpc = "ipc://";
  bool good = address.size() <= 255 && address.find('\0') == ByteView::npos &&
              address.find(';') == ByteView::npos;
  if (address.substr(0, kTcp.size()) == kTcp) {
    const ByteView rest = address.substr(kTcp.size());
    const std::size_t colon = rest.rfind(':');
    good = good && colon != ByteView::npos && colon > 0 &&
           is_port(rest.substr(colon + 1), listening) && (listening || rest[0] != '*');
  } else {
    good = good && address.substr(0, kIpc.size()) == kIpc && address.size() > kIpc.size() &&
           address.size() <= 107;
  }
  if (good) return {};
  return {Code::kInvalid, "zeromq transport: address '" + std::string(address.substr(0, 255)) +
                              "': expected tcp://HOST:PORT or ipc://PATH"};
}

Result<Options> parse_options(ByteView json) {
  const Json config = Json::parse(json.begin(), json.end(), nullptr, false);
  if (!config.is_object())
    return Status(Code::kInvalid, "zeromq transport: the config is not a JSON object");
  Options options;
  for (const auto& item : config.items()) RZ_TRY(read_key(item.key(), item.value(), &options));
  if (options.silence_ms < 3 * options.heartbeat_ms)
    return Status(Code::kInvalid,
                  "zeromq transport: config key 'silence_ms': expected at least three times "
                  "heartbeat_ms (" +
                      std::to_string(3 * options.heartbeat_ms) + "), found " +
                      std::to_string(options.silence_ms));
  return options;
}

}  // namespace rhizome::zeromq

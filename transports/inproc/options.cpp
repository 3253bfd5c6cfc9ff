// Reads the config that the manifest's schema describes. The only file here that sees the JSON
// library; called on the host's main thread, for local config only.
#include "inproc/options.hpp"

#include <nlohmann/json.hpp>

#include "rhizome/abi/transport.h"

namespace rhizome::inproc {
namespace {

using Json = nlohmann::json;

Status wrong(const std::string& key, const std::string& expected, const Json& found) {
  return {Code::kInvalid,
          "inproc transport: config key '" + key + "': expected " + expected + ", found " +
              found.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 80)};
}

Status read_share(const std::string& key, const Json& value, double* out) {
  if (!value.is_number() || value.get<double>() < 0 || value.get<double>() > 1)
    return wrong(key, "a number from 0 to 1", value);
  *out = value.get<double>();
  return {};
}

Status read_name(const std::string& key, const Json& value, std::string* out) {
  if (!value.is_string() || value.get_ref<const std::string&>().empty() ||
      value.get_ref<const std::string&>().size() > 255)
    return wrong(key, "a name of 1 to 255 bytes", value);
  *out = value.get<std::string>();
  return {};
}

Status read_count(const std::string& key, const Json& value, std::uint64_t low, std::uint64_t high,
                  std::uint64_t* out) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() < low ||
      value.get<std::uint64_t>() > high)
    return wrong(key, "an integer from " + std::to_string(low) + " to " + std::to_string(high),
                 value);
  *out = value.get<std::uint64_t>();
  return {};
}

Status read_delay(const Json& value, Options* options) {
  if (!value.is_array() || value.size() != 2 || !value[0].is_number() || !value[1].is_number() ||
      value[0].get<double>() < 0 || value[1].get<double>() > 60000 ||
      value[0].get<double>() > value[1].get<double>())
    return wrong("delay_ms", "[least, greatest] with 0 <= least <= greatest <= 60000", value);
  options->delay_low_ms = value[0].get<double>();
  options->delay_high_ms = value[1].get<double>();
  return {};
}

Status read_level(const Json& value, Options* options) {
  if (value != "proven" && value != "unproven")
    return wrong("level", "\"proven\" or \"unproven\"", value);
  options->proven = value == "proven";
  return {};
}

Status read_key(const std::string& key, const Json& value, Options* options) {
  if (key == "network") return read_name(key, value, &options->network);
  if (key == "address") return read_name(key, value, &options->address);
  if (key == "loss") return read_share(key, value, &options->loss);
  if (key == "duplicate") return read_share(key, value, &options->duplicate);
  if (key == "reorder") return read_share(key, value, &options->reorder);
  if (key == "delay_ms") return read_delay(value, options);
  if (key == "level") return read_level(value, options);
  if (key == "detect_ms") return read_count(key, value, 1, 600'000, &options->detect_ms);
  if (key == "window_bytes")
    return read_count(key, value, RZ_FRAME_MAX_SIZE, 1U << 30U, &options->window_bytes);
  if (key == "seed") {
    std::uint64_t seed = 0;
    RZ_TRY(read_count(key, value, 0, UINT64_MAX, &seed));
    options->seed = seed;
    return {};
  }
  return {Code::kInvalid,
          "inproc transport: unknown config key '" + key +
              "'; known: network, address, seed, loss, duplicate, reorder, delay_ms, detect_ms, "
              "window_bytes, level"};
}

}  // namespace

Result<Options> parse_options(ByteView json) {
  const Json config = Json::parse(json.begin(), json.end(), nullptr, false);
  if (!config.is_object())
    return Status(Code::kInvalid, "inproc transport: the config is not a JSON object");
  Options options;
  for (const auto& item : config.items()) RZ_TRY(read_key(item.key(), item.value(), &options));
  if (options.address.empty())
    return Status(Code::kInvalid,
                  "inproc transport: config key 'address' is missing: the name of this node on "
                  "the network");
  return options;
}

}  // namespace rhizome::inproc

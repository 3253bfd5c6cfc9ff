// Members, lag, extent of the last writes, lanes and catch-up, from one status and the one before.
#include "commands/watch.hpp"

#include <cmath>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

#include "commands/answers.hpp"

namespace rhizome::commands {

namespace {

using nlohmann::json;

std::uint64_t number(const json& object, const char* key) {
  return object.is_object() ? object.value(key, std::uint64_t{0}) : 0;
}

std::string text(const json& object, const char* key) { return printable(object.value(key, "")); }

json part(const json& object, const char* key, json otherwise) {
  return object.is_object() ? object.value(key, std::move(otherwise)) : otherwise;
}

double seconds_between(const json& status, const json& before) {
  if (!before.is_object()) return 0;
  return status.value("uptime_seconds", 0.0) - before.value("uptime_seconds", 0.0);
}

double rate(const json& status, const json& before, const char* key) {
  const double seconds = seconds_between(status, before);
  if (seconds <= 0) return 0;
  return (static_cast<double>(number(status, key)) - static_cast<double>(number(before, key))) /
         seconds;
}

// Padded to a column; what is longer pushes the rest.
std::string left(const std::string& text, std::size_t width) {
  return text.size() < width ? text + std::string(width - text.size(), ' ') : text;
}
std::string right(const std::string& text, std::size_t width) {
  return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}
std::string right(std::uint64_t value, std::size_t width) {
  return right(std::to_string(value), width);
}

std::string whole(double value) { return std::to_string(std::llround(value)); }
std::string changed(double rate) { return (rate < 0 ? "" : "+") + whole(rate) + "/s"; }

std::string age(std::uint64_t at_ms) {
  const auto now = static_cast<std::uint64_t>(std::time(nullptr)) * 1000;
  const std::uint64_t seconds = now > at_ms ? (now - at_ms) / 1000 : 0;
  if (seconds < 120) return std::to_string(seconds) + " s";
  if (seconds < 7200) return std::to_string(seconds / 60) + " min";
  return std::to_string(seconds / 3600) + " h";
}

std::string members_text(const json& status) {
  std::string out = left("", 5) + left("member", 18) + left("voter", 7) + right("we lack", 12) +
                    right("it lacks", 12) + right("receipt", 12) + right("fetched", 12) + "\n";
  for (const json& member : part(status, "members", json::array())) {
    const json receipt = part(member, "receipt", json());
    const bool said = receipt.is_object();
    out += left(member.value("up", false) ? "up" : "down", 5) + left(text(member, "name"), 18) +
           left(member.value("voter", false) ? "voter" : "-", 7) +
           right(number(member, "lag"), 12) +
           right(said ? std::to_string(number(receipt, "missing")) : "-", 12) +
           right(said ? age(number(receipt, "at_ms")) : "-", 12) +
           right(number(member, "fetched"), 12);
    if (said && receipt.value("conflict", false)) out += "  TWO NODES UNDER ONE KEY";
    out += "\n";
  }
  return out;
}

std::string writes_text(const json& status) {
  constexpr std::size_t kShown = 8;
  const json confirmation = part(status, "confirmation", json::object());
  std::string out = "last writes here (roster " + std::to_string(number(confirmation, "roster")) +
                    ", " + std::to_string(number(confirmation, "voters")) + " voters" +
                    (confirmation.value("self_votes", true) ? "" : ", this node is none of them") +
                    ")\n";
  const json writes = part(confirmation, "last_writes", json::array());
  for (std::size_t i = 0; i < writes.size() && i < kShown; ++i) {
    const json& write = writes[i];
    const json missing = part(write, "missing", json::array());
    const std::uint64_t count = number(write, "count");
    out += "  " + right(number(write, "held"), 2) + "/" +
           left(std::to_string(number(write, "voters")), 3) +
           right((count == 1 ? "" : std::to_string(count) + " to ") + "n " +
                     std::to_string(number(write, "n")),
                 20) +
           right(age(number(write, "written_ms")), 8) + " ago" +
           (missing.empty() ? "" : "   lacking: " + names_text(missing)) + "\n";
  }
  return writes.empty() ? out + "  none since the start\n" : out;
}

std::string lanes_text(const json& status) {
  const json lanes = part(status, "lanes", json::array());
  if (lanes.empty()) return "";
  std::string out = "\n" + left("lane", 18) + right("queued", 10) + right("handled", 14) +
                    right("dropped", 12) + right("wait ms", 10) + "\n";
  for (const json& lane : lanes)
    out += left(text(lane, "name"), 18) + right(number(lane, "queued"), 10) +
           right(number(lane, "handled"), 14) + right(number(lane, "dropped"), 12) +
           right(number(lane, "longest_wait_us") / 1000, 10) + "\n";
  return out;
}

// "1200 numbers behind, 300/s nearer, about 4 s to go"
std::string catch_up(const json& status, const json& before) {
  const std::uint64_t behind = number(status, "lag");
  if (behind == 0) return "in step with every peer that is up";
  const double nearer = before.is_object() ? -rate(status, before, "lag") : 0;
  const std::string text = std::to_string(behind) + " numbers behind";
  if (nearer < 1) return text;
  return text + ", " + whole(nearer) + "/s nearer, about " +
         whole(static_cast<double>(behind) / nearer) + " s to go";
}

std::string mebibytes(std::uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MiB", static_cast<double>(bytes) / 1048576.0);
  return text;
}

}  // namespace

std::string watch_screen(const json& status, const json& before) {
  return text(status, "name") + "  " + text(status, "key") + "  up " +
         whole(status.value("uptime_seconds", 0.0)) + " s\n" +
         std::to_string(number(status, "deltas")) + " deltas (" +
         changed(rate(status, before, "deltas")) + "), " +
         mebibytes(number(status, "store_bytes")) + ", " + std::to_string(number(status, "holes")) +
         " holes, " + std::to_string(number(status, "peers_up")) +
         " peers up\ncatch-up: " + catch_up(status, before) + "\n\n" + members_text(status) + "\n" +
         writes_text(status) + lanes_text(status);
}

std::string watch_line(const json& status, const json& before) {
  const json writes =
      part(part(status, "confirmation", json::object()), "last_writes", json::array());
  const std::string last = writes.empty() ? "none"
                                          : std::to_string(number(writes[0], "held")) + "/" +
                                                std::to_string(number(writes[0], "voters"));
  return "deltas " + std::to_string(number(status, "deltas")) + " (" +
         changed(rate(status, before, "deltas")) + "), peers up " +
         std::to_string(number(status, "peers_up")) + ", lag " +
         std::to_string(number(status, "lag")) + ", last write " + last + "\n";
}

}  // namespace rhizome::commands

// rhizome status: what a running node holds and does.
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "commands/answers.hpp"
#include "commands/watch.hpp"

namespace rhizome::commands {

namespace {

using nlohmann::json;

std::string text(const json& value, const char* key) { return printable(value.value(key, "")); }

void print_lanes(const json& lanes) {
  if (!lanes.empty())
    std::printf("lane          queued    bytes    handled  dropped  longest wait\n");
  for (const json& lane : lanes)
    std::printf("  %-9s %8llu %8llu %10llu %8llu %10.1f ms\n", text(lane, "name").c_str(),
                lane.value("queued", 0ull), lane.value("queued_bytes", 0ull),
                lane.value("handled", 0ull), lane.value("dropped", 0ull),
                static_cast<double>(lane.value("longest_wait_us", 0ull)) / 1000.0);
}

// Clears to the end of each line, for a screen that is drawn over the one before.
std::string to_lines_end(const std::string& screen) {
  std::string out;
  for (const char c : screen) {
    if (c == '\n') out += "\033[K";
    out.push_back(c);
  }
  return out;
}

void print_status(const std::string& body) {
  const json s = json::parse(body);
  std::printf("node     %s (%s)\n", text(s, "name").c_str(), text(s, "key").c_str());
  for (const auto& address : s.value("addresses", json::array()))
    std::printf("address  %s\n", printable(address.get<std::string>()).c_str());
  std::printf("deltas   %llu in %.1f MiB of store, %llu holes\n", s.value("deltas", 0ull),
              static_cast<double>(s.value("store_bytes", 0ull)) / 1048576.0,
              s.value("holes", 0ull));
  const json store = s.value("store", json::object());
  if (const std::string state = store.value("state", "ready"); state != "ready")
    std::printf("store    %s: %s\n", printable(state).c_str(), text(store, "cause").c_str());
  std::printf("digest   %s\n", text(s, "digest").c_str());
  std::printf("peers    %llu up, %llu numbers behind them\n", s.value("peers_up", 0ull),
              s.value("lag", 0ull));
  const json c = s.value("confirmation", json::object());
  std::printf("roster   version %llu, %llu voters%s\n", c.value("roster", 0ull),
              c.value("voters", 0ull),
              c.value("self_votes", true) ? "" : "; this node is no voter");
  const json catch_up = s.value("catch_up", json::object());
  if (const auto missing = catch_up.value("missing", 0ull), done = catch_up.value("fetched", 0ull);
      missing != 0 || done != 0)
    std::printf("catch-up %llu numbers to fetch, %llu fetched (%.1f MiB), %llu a second\n", missing,
                done, static_cast<double>(catch_up.value("bytes", 0ull)) / 1048576.0,
                catch_up.value("deltas_per_second", 0ull));
  if (const json use = s.value("descriptors", json::object());
      use.value("open", 0ull) * 5 > use.value("limit", 0ull) * 4)
    std::printf("files    %llu of %llu descriptors are in use; raise the limit (ulimit -n)\n",
                use.value("open", 0ull), use.value("limit", 0ull));
  if (const auto dropped = s.value("log", json::object()).value("dropped", 0ull); dropped != 0)
    std::printf("log      %llu lines dropped: whoever reads it does not keep up\n", dropped);
  print_lanes(s.value("lanes", json::array()));
}

}  // namespace

int status(const std::vector<std::string>& arguments) {
  NodeOptions node;
  bool watch = false;
  Options options("status", "What a running node holds and does.",
                  "rhizome status --node ./a --json");
  node.add_to(options);
  options.flag("--watch", watch,
               "A live view on a terminal, else one line (or with --json one status) a second");
  int exit_code = kDone;
  if (!options.parse(arguments, exit_code)) return exit_code;
  const bool live = watch && !node.json && ::isatty(STDOUT_FILENO) == 1;
  for (json before;;) {
    const Result<std::string> body = ask(node, "status");
    if (!body.ok()) return fail("status", body.status(), node.json);
    if (node.json) {
      std::printf("%s\n", body->c_str());
    } else if (!watch) {
      print_status(*body);
    } else {
      json now = json::parse(*body);
      // Home, draw over what was there, clear the rest: no flicker.
      if (live) std::printf("\033[H%s\033[J", to_lines_end(watch_screen(now, before)).c_str());
      if (!live) std::printf("%s", watch_line(now, before).c_str());
      before = std::move(now);
    }
    std::fflush(stdout);
    if (!watch || std::ferror(stdout) != 0) return kDone;
    ::sleep(1);
  }
}

}  // namespace rhizome::commands

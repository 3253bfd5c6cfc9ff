// For tests alone: a node without a network, and its control socket.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "api/api.hpp"
#include "authoring/testing.hpp"
#include "control/control.hpp"
#include "control/testing_client.hpp"
#include "journal/testing_filters.hpp"
#include "links/testing.hpp"

namespace rhizome::testing_support {

inline std::string claims(const std::string& entity, const std::string& value_json) {
  return R"({"pointers":[{"role":"subject","target":{"id":")" + entity +
         R"(","context":"p"}},{"role":"value","target":)" + value_json + "}]}\n";
}

// A message of the control socket.
inline std::string framed(const std::string& header, const std::string& blob = {}) {
  const auto number = [](std::size_t value) {
    std::string bytes(4, '\0');
    for (int i = 0; i < 4; ++i) bytes[i] = static_cast<char>(value >> (8 * i));
    return bytes;
  };
  return number(4 + header.size() + blob.size()) + number(header.size()) + header + blob;
}

// Whether the node answers this client.
inline bool is_answered(Client&& client) { return client.call(R"({"op":"digest"})").ok(); }
inline bool is_answered(Client& client) { return is_answered(std::move(client)); }

struct Served : Doors {
  explicit Served(bool two_voters = false)
      : extents(counted_by(node.public_key(), b.public_key(), two_voters), *journal, executor) {
    char name[] = "/tmp/rhizome-control-XXXXXX";
    directory = ::mkdtemp(name);
    path = directory + "/control.sock";
    auto made = FeedService::make(links, *journal, json_logic());
    EXPECT_TRUE(made.ok());
    feeds = std::move(*made);
    journal->on_commit([weak = std::weak_ptr<FeedService>(feeds)](
                           Seq first, Seq last, std::span<const Statement> statements) {
      if (const auto service = weak.lock()) service->committed(first, last, statements);
    });
    node_api = std::make_unique<api::Api>(parts());
    server = std::move(*start());
  }
  ~Served() {
    server.reset();
    node_api->stop();
    feeds->stop();
    threads.stop();
    std::filesystem::remove_all(directory);
  }
  Result<std::unique_ptr<ControlServer>> start() {
    return ControlServer::start(*node_api, log, path, limits);
  }
  api::Parts parts() {
    api::Parts given(threads, *journal, admission, authoring, extents);
    given.feeds = feeds;
    given.filters.emplace("jsonlogic", json_logic());
    given.default_filter = "jsonlogic";
    given.json_logic = json_logic();
    EXPECT_TRUE(given.resolvers.add("standard", standard_resolvers()).ok());
    return given;
  }
  Client client() {
    Result<Client> made = Client::connect(path);
    EXPECT_TRUE(made.ok()) << made.status().to_string();
    return std::move(*made);
  }
  // A connection below the client: for what no client would send.
  int raw() const {
    const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    EXPECT_EQ(::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return socket;
  }

  // This node, `a`, and a voter `b` that never connects: tests speak for it.
  static ExtentOptions counted_by(const NodeKey& self, const NodeKey& voter, bool two) {
    ExtentOptions options;
    options.self.key = self;
    options.self.name = "a";
    if (two) {
      options.peers.emplace_back().key = voter;
      options.peers.back().name = "b";
    }
    return options;
  }
  // What `b` says once it holds everything of this node's running epoch.
  void b_holds_all() {
    const auto position = journal->origin(node.public_key(), journal->epoch());
    Receipt receipt;
    receipt.number = {1, ++b_serial};
    receipt.synced = true;
    receipt.held = {
        {position->origin, position->epoch, position->last, position->head, {{1, position->last}}}};
    sign(receipt, b);
    EXPECT_TRUE(extents.take(encode(receipt), [](const NodeKey&) { return true; }).ok());
  }

  const SigningKey b = key_of(7);
  std::uint64_t b_serial = 0;
  ExtentBook extents;
  Log log{LogLevel::kError, Log::Format::kText};
  ThreadExecutor threads{2};
  NoLinks links{node, threads, log};
  std::shared_ptr<FeedService> feeds;
  std::string directory, path;
  std::unique_ptr<api::Api> node_api;
  ControlLimits limits;
  std::unique_ptr<ControlServer> server;
};

inline std::vector<ByteView> split(ByteView rows) {
  std::vector<ByteView> lines;
  while (!rows.empty()) {
    const std::size_t end = rows.find('\n');
    lines.push_back(rows.substr(0, end));
    rows.remove_prefix(end == ByteView::npos ? rows.size() : end + 1);
  }
  return lines;
}

inline std::vector<double> values_of(const std::vector<std::string>& lines) {
  std::vector<double> values;
  for (const std::string& line : lines)
    values.push_back(nlohmann::json::parse(line)["claims"]["pointers"][1]["target"].get<double>());
  return values;
}

}  // namespace rhizome::testing_support

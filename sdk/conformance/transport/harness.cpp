// Loading, recording and waiting for the transport conformance tests. See harness.hpp.
#include "harness.hpp"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sodium.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <set>

#include "rhizome/abi/host.h"

namespace rhizome::conformance {
namespace {

void write_log(void*, std::uint32_t level, rz_bytes line) {
  if (std::getenv("RHIZOME_TEST_LOG") != nullptr)
    std::fprintf(stderr, "[plugin %u] %.*s\n", level, static_cast<int>(line.size),
                 static_cast<const char*>(line.data));
}

const void* host_service(void*, const char* id) {
  static constexpr rz_host_log kLog = {nullptr, write_log};
  return std::string_view(id) == RZ_HOST_LOG_ID ? &kLog : nullptr;
}

// A TCP port of the loopback that nobody has now and that this process did not hand out before.
std::string free_port() {
  static std::set<int> given;
  for (;;) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    const bool bound = ::bind(fd, generic, size) == 0 && ::getsockname(fd, generic, &size) == 0;
    ::close(fd);
    if (bound && given.insert(ntohs(address.sin_port)).second)
      return std::to_string(ntohs(address.sin_port));
  }
}

void replace_all(std::string* text, const std::string& what, const std::string& with) {
  for (std::size_t at = 0; (at = text->find(what, at)) != std::string::npos; at += with.size())
    text->replace(at, what.size(), with);
}

std::string make_config() {
  static int number = 0;
  std::string config = plugin_under_test().config_template;
  replace_all(&config, "{n}", std::to_string(++number));
  if (config.find("{port}") != std::string::npos) replace_all(&config, "{port}", free_port());
  return config;
}

}  // namespace

PluginUnderTest& plugin_under_test() {
  static PluginUnderTest instance;
  return instance;
}

std::string load_plugin(const std::string& path, const std::string& config_template) {
  char* absolute = ::realpath(path.c_str(), nullptr);
  if (absolute == nullptr) return path + ": no such file";
  void* library = ::dlopen(absolute, RTLD_NOW | RTLD_LOCAL);
  std::free(absolute);
  if (library == nullptr) return ::dlerror();
  const auto* plugin = static_cast<const rz_plugin*>(::dlsym(library, RZ_PLUGIN_SYMBOL));
  if (plugin == nullptr) return path + ": no symbol " RZ_PLUGIN_SYMBOL;
  if (plugin->abi_major != RZ_ABI_MAJOR)
    return path + ": ABI major " + std::to_string(plugin->abi_major) + ", expected " +
           std::to_string(RZ_ABI_MAJOR);
  static constexpr rz_host kHost = {nullptr, host_service};
  rz_error error{};
  if (plugin->init(&kHost, &error) != RZ_OK) return path + ": init: " + error.message;
  const void* table = plugin->get_interface(RZ_TRANSPORT_ID);
  if (table == nullptr) return path + ": does not offer " RZ_TRANSPORT_ID;
  plugin_under_test() = {static_cast<const rz_transport*>(table), config_template};
  return {};
}

// Marks the time in which one event runs, and finds out when another one runs meanwhile.
struct Recorder::Inside {
  explicit Inside(Recorder* self) : recorder(self) {
    const std::lock_guard<std::mutex> lock(recorder->mutex_);
    recorder->overlapped = recorder->overlapped || recorder->inside_;
    recorder->inside_ = true;
    ++recorder->events;
  }
  ~Inside() {
    const std::lock_guard<std::mutex> lock(recorder->mutex_);
    recorder->inside_ = false;
  }
  Recorder* recorder;
};

void Recorder::note(const std::function<void()>& record) {
  const std::lock_guard<std::mutex> lock(mutex_);
  record();
  changed_.notify_all();
}

bool Recorder::authorize(const LinkKey& peer) noexcept {
  const Inside inside(this);
  return !allow || allow(peer);
}
void Recorder::peer(const LinkKey& peer, bool up) noexcept {
  const Inside inside(this);
  note([&] { ++(up ? ups : downs)[peer]; });
}
void Recorder::published(const LinkKey& peer, ByteView topic, ByteView frame) noexcept {
  const Inside inside(this);
  if (on_published) on_published(frame);
  note([&] { publications.push_back({peer, std::string(topic), std::string(frame)}); });
}
void Recorder::request(const LinkKey& peer, std::uint64_t request, ByteView frame) noexcept {
  const Inside inside(this);
  note([&] { requests.emplace_back(request, std::string(frame)); });
  if (on_request) on_request(peer, request, frame);
}
void Recorder::reply(std::uint64_t request, Code code, ByteView frame, bool last) noexcept {
  const Inside inside(this);
  if (on_reply) on_reply(request);
  note([&] { replies[request].push_back({code, std::string(frame), last}); });
}
void Recorder::work(const LinkKey& peer, ByteView frame) noexcept {
  const Inside inside(this);
  if (on_work) on_work(frame);
  note([&] { works.emplace_back(peer, std::string(frame)); });
}
std::size_t Recorder::lasts(std::uint64_t number) const {
  const auto found = replies.find(number);
  if (found == replies.end()) return 0;
  std::size_t count = 0;
  for (const Reply& reply : found->second) count += reply.last ? 1 : 0;
  return count;
}

Node::Node() : config_(make_config()) {
  if (sodium_init() < 0) std::abort();
  crypto_box_keypair(identity_.link_public_key, identity_.link_secret_key);
  std::memcpy(key_.data(), identity_.link_public_key, key_.size());
}
Node::~Node() {
  stop();
  EXPECT_FALSE(recorder.look([&] { return recorder.overlapped; }))
      << "two events of one transport ran at the same time; events are [io]: one at a time";
}

Status Node::try_start() {
  Result<use::Transport> opened =
      use::Transport::open(plugin_under_test().table, config_, identity_, &recorder);
  if (!opened.ok()) return opened.status();
  transport_.emplace(std::move(*opened));
  return transport_->start();
}
Node& Node::start() {
  const Status status = try_start();
  EXPECT_TRUE(status.ok()) << status.to_string();
  return *this;
}
void Node::stop() {
  if (transport_) transport_->stop();  // hooks may still use it until then
  transport_.reset();
}

std::string Node::address() {
  const auto addresses = transport_->addresses();
  return addresses.ok() && !addresses->empty() ? addresses->front() : std::string();
}
bool Node::wait_up(const Node& peer) {
  return recorder.wait([&] { return recorder.ups[peer.key()] > recorder.downs[peer.key()]; });
}
bool Node::wait_down(const Node& peer, int times) {
  return recorder.wait([&] { return recorder.downs[peer.key()] >= times; });
}
void Node::connect(Node& to) {
  const Status status = transport_->connect(to.key(), to.address());
  ASSERT_TRUE(status.ok()) << status.to_string();
}
std::uint64_t Node::next_request() {
  static std::atomic<std::uint64_t> next{1};
  return next++;
}
std::vector<Recorder::Reply> Node::ask(const Node& peer, ByteView frame,
                                       std::chrono::milliseconds deadline) {
  const std::uint64_t number = next_request();
  const Status status =
      transport_->request(peer.key(), number, frame, static_cast<std::uint64_t>(deadline.count()));
  EXPECT_TRUE(status.ok()) << status.to_string();
  if (!status.ok()) return {};
  EXPECT_TRUE(recorder.wait([&] { return recorder.lasts(number) > 0; }, kPatience + deadline));
  return recorder.look([&] { return recorder.replies[number]; });
}

void echo(Node& node) {
  node.recorder.on_request = [&node](const LinkKey&, std::uint64_t request, ByteView frame) {
    const Status status = node->reply(request, "re:" + std::string(frame), true);
    // The asker may have gone meanwhile.
    EXPECT_TRUE(status.ok() || status.code() == Code::kClosed) << status.to_string();
  };
}
void join(Node& a, Node& b) {
  b.connect(a);
  ASSERT_TRUE(a.wait_up(b));
  ASSERT_TRUE(b.wait_up(a));
}

}  // namespace rhizome::conformance

// Recording and waiting for the transport conformance tests. See harness.hpp.
#include "harness.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sodium.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>

#include "loading/config_subject.hpp"
#include "rhizome/abi/host.h"

namespace rhizome::conformance {

// With a log alone: a transport has its own time where the host lends it none. Kept for ever, to
// notice a call that comes after the instance's end.
class SuiteHost final : public use::InstanceHost {
 public:
  static std::shared_ptr<SuiteHost> make() {
    static auto& all = *new std::vector<std::shared_ptr<SuiteHost>>;
    all.push_back(std::make_shared<SuiteHost>());
    return all.back();
  }
  const rz_host* table() override { return &host_; }
  void end_timers() noexcept override {}
  void retire() { retired_ = true; }
  static std::atomic<std::size_t>& late_calls() {
    static std::atomic<std::size_t> count{0};
    return count;
  }

 private:
  static SuiteHost& self(void* context) {
    auto& host = *static_cast<SuiteHost*>(context);
    if (host.retired_) ++late_calls();
    return host;
  }
  static void write(void* context, std::uint32_t level, rz_bytes line) {
    (void)self(context);
    if (std::getenv("RHIZOME_TEST_LOG") != nullptr)
      std::fprintf(stderr, "[plugin %u] %.*s\n", level, static_cast<int>(line.size),
                   static_cast<const char*>(line.data));
  }
  static const void* service(void* context, const char* id) {
    SuiteHost& host = self(context);
    return std::string_view(id) == RZ_HOST_LOG_ID ? &host.log_ : nullptr;
  }
  std::atomic<bool> retired_{false};
  rz_host_log log_{this, write};
  rz_host host_{this, service};
};

std::size_t late_host_calls() { return SuiteHost::late_calls(); }

namespace {

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

// As `open` gets it where the plugin is of a file: of the template, with the schema's defaults.
Result<std::string> try_config() {
  static int number = 0;
  std::string config = plugin_under_test().config_template;
  replace_all(&config, "{n}", std::to_string(++number));
  if (config.find("{port}") != std::string::npos) replace_all(&config, "{port}", free_port());
  const LoadedPlugin& loaded = plugin_under_test().loaded;
  return loaded.plugin != nullptr ? loaded.config(config) : Result<std::string>(config);
}

std::string make_config() {
  const Result<std::string> config = try_config();
  EXPECT_TRUE(config.ok()) << config.status().to_string();
  return config.ok() ? *config : "{}";
}

}  // namespace

PluginUnderTest& plugin_under_test() {
  static PluginUnderTest instance;
  return instance;
}

Status load_plugin(const std::string& path, const std::string& config_template) {
  Result<LoadedPlugin> loaded = load_library(path, "transport");
  if (!loaded.ok()) return std::move(loaded).status();
  plugin_under_test() = {loaded->table<rz_transport>(RZ_TRANSPORT_ID), config_template,
                         loaded->declares(RZ_TRANSPORT_CAPABILITY_PROVEN), std::move(*loaded)};
  Result<std::string> config = try_config();
  if (!config.ok()) return std::move(config).status().with_context(path);
  config_subject() = {plugin_under_test().loaded, *config, nullptr};
  return {};
}

// Marks the time in which one event runs, and finds out when another one runs meanwhile.
struct Recorder::Inside {
  explicit Inside(Recorder* self) : recorder(self) {
    const std::lock_guard<std::mutex> lock(recorder->mutex_);
    if (recorder->inside_)
      recorder->violations.insert("two events at the same time; events are [io]: one at a time");
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

LinkKey Recorder::link_of(std::uint64_t connection, const char* event) {
  const auto found = up_.find(connection);
  if (found != up_.end()) return found->second;
  violations.insert(std::string(event) + " of a connection that is not up");
  return {};
}

std::uint64_t Recorder::number_of(const LinkKey& peer) {
  return look([&] {
    std::uint64_t newest = 0;
    for (std::size_t i = begun_; i < connections.size(); ++i)
      if (connections[i].link == peer) newest = connections[i].number;
    return newest;
  });
}

void Recorder::asked(std::uint64_t request, std::uint64_t connection) {
  look([&] { asked_[request] = connection; });
}

void Recorder::begin() {
  look([&] {
    begun_ = connections.size();
    up_.clear();
    asked_.clear();
    came_.clear();
  });
}

bool Recorder::authorize(const LinkKey& peer) noexcept {
  const Inside inside(this);
  return !allow || allow(peer);
}
void Recorder::connection(const use::Connection& connection, bool up) noexcept {
  const Inside inside(this);
  note([&] {
    ++(up ? ups : downs)[connection.link];
    if (!up) {
      if (link_of(connection.number, "RZ_CONNECTION_DOWN") != connection.link)
        violations.insert("RZ_CONNECTION_DOWN with another key than RZ_CONNECTION_UP");
      for (const auto& [request, number] : asked_)
        if (number == connection.number && lasts(request) == 0)
          violations.insert("RZ_CONNECTION_DOWN before the last reply of a request");
      up_.erase(connection.number);
      return;
    }
    for (std::size_t i = begun_; i < connections.size(); ++i)
      if (connections[i].number == connection.number)
        violations.insert("a connection number used twice");
    if (connection.number == 0) violations.insert("connection number 0");
    connections.push_back(connection);
    up_[connection.number] = connection.link;
  });
  if (on_connection) on_connection(connection, up);
}
void Recorder::published(std::uint64_t connection, ByteView topic, ByteView frame) noexcept {
  const Inside inside(this);
  if (on_published) on_published(frame);
  note([&] {
    publications.push_back(
        {link_of(connection, "published"), std::string(topic), std::string(frame)});
  });
}
void Recorder::request(std::uint64_t connection, std::uint64_t request, ByteView frame) noexcept {
  const Inside inside(this);
  LinkKey from{};
  note([&] {
    from = link_of(connection, "request");
    if (!came_.insert(request).second) violations.insert("a request number used twice");
    requests.emplace_back(request, std::string(frame));
  });
  if (on_request) on_request(from, request, frame);
}
void Recorder::reply(std::uint64_t request, Code code, ByteView frame, bool last) noexcept {
  const Inside inside(this);
  if (on_reply) on_reply(request);
  note([&] {
    if (lasts(request) != 0) violations.insert("a reply after the last one");
    if (code != Code::kOk && (!last || !frame.empty()))
      violations.insert("a failed request that does not end, or has a frame");
    replies[request].push_back({code, std::string(frame), last});
  });
}
void Recorder::writable(std::uint64_t connection, std::uint32_t lane) noexcept {
  const Inside inside(this);
  note([&] {
    (void)link_of(connection, "writable");
    writables.emplace_back(connection, lane);
  });
}
std::size_t Recorder::lasts(std::uint64_t number) const {
  const auto found = replies.find(number);
  if (found == replies.end()) return 0;
  std::size_t count = 0;
  for (const Reply& reply : found->second) count += reply.last ? 1 : 0;
  return count;
}

Identity::Identity() {
  if (sodium_init() < 0) std::abort();
  abi.struct_size = sizeof abi;
  crypto_sign_keypair(abi.node_public_key, node_secret_key.data());
  if (crypto_sign_ed25519_pk_to_curve25519(abi.link_public_key, abi.node_public_key) != 0 ||
      crypto_sign_ed25519_sk_to_curve25519(abi.link_secret_key, node_secret_key.data()) != 0)
    std::abort();
  abi.sign_context = node_secret_key.data();
  abi.sign = [](void* secret, rz_bytes message, std::uint8_t signature[64], rz_error*) {
    crypto_sign_detached(signature, nullptr, static_cast<const std::uint8_t*>(message.data),
                         message.size, static_cast<const std::uint8_t*>(secret));
    return std::int32_t{RZ_OK};
  };
}

Node::Node() : config_(make_config()) {
  std::memcpy(key_.data(), identity_.abi.link_public_key, key_.size());
}
Node::~Node() {
  stop();
  recorder.look([&] {
    for (const std::string& violation : recorder.violations) ADD_FAILURE() << violation;
  });
}

Status Node::open() {
  recorder.begin();
  host_ = SuiteHost::make();
  lent_ = identity_.abi;
  Result<use::Transport> opened =
      use::Transport::open(plugin_under_test().table, host_, config_, lent_, &recorder);
  if (overwrites_identity_) std::memset(&lent_, 0x5a, sizeof lent_);
  if (!opened.ok()) return opened.status();
  transport_.emplace(std::move(*opened));
  return {};
}
Status Node::try_start() {
  RZ_TRY(open());
  return transport_->start();
}
void Node::claim_key_of(const Node& other) {
  std::memcpy(identity_.abi.link_public_key, other.identity_.abi.link_public_key, key_.size());
  std::memcpy(identity_.abi.node_public_key, other.identity_.abi.node_public_key, key_.size());
  key_ = other.key_;
}
Status Node::request(const LinkKey& peer, std::uint64_t number, ByteView frame,
                     std::uint64_t timeout_ms, std::uint32_t lane) {
  const std::uint64_t connection = recorder.number_of(peer);
  const Status status = transport_->request(connection, number, lane, timeout_ms, frame);
  if (status.ok()) recorder.asked(number, connection);
  return status;
}
Node& Node::start() {
  const Status status = try_start();
  EXPECT_TRUE(status.ok()) << status.to_string();
  return *this;
}
void Node::stop() {
  if (!transport_) return;
  transport_->stop();  // hooks may still use it until then
  transport_.reset();
  host_->retire();
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
  const Status status = request(peer, number, frame, static_cast<std::uint64_t>(deadline.count()));
  EXPECT_TRUE(status.ok()) << status.to_string();
  if (!status.ok()) return {{status.code(), {}, true}};
  EXPECT_TRUE(recorder.wait([&] { return recorder.lasts(number) > 0; }, kPatience + deadline));
  auto replies = recorder.look([&] { return recorder.replies[number]; });
  if (replies.empty()) replies.push_back({Code::kDeadline, {}, true});  // for those that look at it
  return replies;
}

RawTransport::RawTransport(const Node& as, const rz_transport_events& events)
    : table_(plugin_under_test().table), host_(SuiteHost::make()) {
  rz_error error{};
  EXPECT_EQ(table_->open(host_->table(), to_abi(as.config()), &as.identity().abi, &events, &handle_,
                         &error),
            RZ_OK)
      << error.message;
  if (handle_ == nullptr) return;
  EXPECT_EQ(table_->start(handle_, &error), RZ_OK) << error.message;
}
RawTransport::~RawTransport() {
  if (handle_ == nullptr) return;
  table_->stop(handle_);
  table_->close(handle_);
}
std::string RawTransport::address() const {
  std::string first;
  const rz_list_sink sink{&first, [](void* context, rz_bytes item) {
                            auto& text = *static_cast<std::string*>(context);
                            if (text.empty()) text = view(item);
                            return std::int32_t{RZ_OK};
                          }};
  rz_error error{};
  EXPECT_EQ(table_->addresses(handle_, &sink, &error), RZ_OK) << error.message;
  return first;
}

void echo(Node& node) {
  node.recorder.on_request = [&node](const LinkKey&, std::uint64_t request, ByteView frame) {
    const Status status = node.reply(request, "re:" + std::string(frame), true);
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

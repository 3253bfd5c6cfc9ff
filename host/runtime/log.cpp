// Log over spdlog: it brings time stamps, thread safety and the console; the fields are ours.
#include "runtime/log.hpp"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <mutex>

namespace rhizome {

namespace {

// Hands each message on, without time or level: what a test wants to see.
class FunctionSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit FunctionSink(std::function<void(std::string_view)> function)
      : function_(std::move(function)) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    function_(std::string_view(message.payload.data(), message.payload.size()));
  }
  void flush_() override {}

  std::function<void(std::string_view)> function_;
};

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// Control characters, quotes and backslashes as JSON escapes them, in both formats: a peer's text
// must not be able to forge a line.
void append_quoted(std::string_view text, std::string& out) {
  out.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

bool is_plain(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text)
    if (static_cast<unsigned char>(c) <= 0x20 || c == '"' || c == '\\' || c == '=') return false;
  return true;
}

}  // namespace

struct Log::State {
  Format format;
  spdlog::logger logger;
};

Log::Log(LogLevel level, Format format)
    : state_(new State{
          format, spdlog::logger("rhizome", std::make_shared<spdlog::sinks::stderr_sink_mt>())}) {
  state_->logger.set_level(to_spdlog(level));
  state_->logger.set_pattern(format == Format::kJson
                                 ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                                 : "%Y-%m-%dT%H:%M:%S.%eZ %-7l %v",
                             spdlog::pattern_time_type::utc);
}

Log::Log(LogLevel level, Format format, std::function<void(std::string_view)> sink)
    : Log(level, format) {
  state_->logger.sinks() = {std::make_shared<FunctionSink>(std::move(sink))};
}

Log::~Log() = default;

void Log::write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  if (!state_->logger.should_log(to_spdlog(level))) return;
  const bool json = state_->format == Format::kJson;
  std::string line;
  if (json) {
    line += "\"event\":";
    append_quoted(event, line);
  } else {
    line += event;
  }
  for (const LogField& field : fields) {
    line += json ? ",\"" : " ";
    line += field.key;
    line += json ? "\":" : "=";
    if (!json && is_plain(field.value)) {
      line += field.value;
    } else {
      append_quoted(field.value, line);
    }
  }
  state_->logger.log(to_spdlog(level), "{}", line);
}

}  // namespace rhizome

# Serialises and stores as Ruby applications do; requests and answers as in clients.py.
require 'base64'
require 'json'
require 'msgpack'
require 'securerandom'
require 'stringio'
require 'zlib'

SOCKET = ARGV[0]

# An object of an application.
class Settings
  def initialize(values)
    @values = values
    @updated_at = Time.now
  end
end

def symbols(value)
  case value
  when Hash then value.to_h { |k, v| [k.to_sym, symbols(v)] }
  when Array then value.map { |v| symbols(v) }
  else value
  end
end

STEPS = {
  'marshal' => ->(v) { Marshal.dump(v) },
  'marshal-symbols' => ->(v) { Marshal.dump(symbols(v)) },
  'marshal-object' => ->(v) { Marshal.dump(Settings.new(v)) },
  'msgpack' => ->(v) { MessagePack.pack(v) },
  'json' => ->(v) { JSON.generate(v) },
  'zlib' => ->(v) { Zlib::Deflate.deflate(v) },
  'gzip' => ->(v) { Zlib.gzip(v) },
  'base64' => ->(v) { Base64.encode64(v) }
}.freeze

def sidekiq
  @sidekiq ||= begin
    require 'sidekiq'
    Sidekiq.configure_client { |c| c.redis = { path: SOCKET } }
    Sidekiq::Client
  end
end

def rails
  @rails ||= begin
    require 'redis-store'
    Redis::Store.new(path: SOCKET)
  end
end

def store(framework, doc)
  case framework
  when 'sidekiq'
    sidekiq.push('class' => 'ResetMailer', 'queue' => 'mailers', 'args' => [doc['email'], { 'password' => doc['secret'] }])
    'queue:mailers'
  when 'rails' # ActionDispatch::Session::CacheStore and redis-store: Marshal
    key = "_session_id:2::#{SecureRandom.hex(32)}"
    rails.set(key, { 'session_id' => SecureRandom.hex(16), '_csrf_token' => doc['hash'],
                     'warden.user.user.key' => [[doc['id'].to_i], '$2a$12$abcdefghijklmnopqrstuv'], 'email' => doc['email'] })
    key
  end
end

$stdin.each_line do |line|
  r = JSON.parse(line)
  if r['store']
    puts store(r['store'], r['doc'])
  else
    puts Base64.strict_encode64(r['do'].reduce(r['doc']) { |value, step| STEPS.fetch(step).call(value) })
  end
  $stdout.flush
end

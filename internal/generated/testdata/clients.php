<?php
// Serialises and stores as PHP applications do; requests and answers as in clients.py.

class Settings
{
    private $settings;
    protected $owner = 'app';

    public function __construct(array $settings) { $this->settings = $settings; }
}

session_set_cookie_params(0);
ini_set('session.use_cookies', '0');
ini_set('session.use_trans_sid', '0');
ini_set('session.cache_limiter', '');
ini_set('session.save_handler', 'redis');
ini_set('session.save_path', 'unix://' . $argv[1] . '?database=0');

function step(string $step, $value)
{
    switch ($step) {
        case 'php': return serialize($value);
        case 'php-object': return serialize(new Settings($value));
        case 'igbinary': return igbinary_serialize($value);
        case 'msgpack': return msgpack_pack($value);
        case 'gzip': return gzencode($value);
        case 'zlib': return gzcompress($value);
        case 'base64': return base64_encode($value);
        case 'in-json': return json_encode(['data' => $value, 'time' => 1]);
        case 'text': return $value['text'];
    }
    throw new Exception("no step $step");
}

function store(string $framework, array $doc): string
{
    switch ($framework) {
        case 'php':
            session_id(bin2hex(random_bytes(16)));
            session_start();
            $_SESSION = ['user_id' => (int) $doc['id'], 'email' => $doc['email'], 'csrf_token' => $doc['hash']];
            $key = 'PHPREDIS_SESSION:' . session_id();
            session_write_close();
            return $key;
        case 'laravel': // Illuminate\Session\Store: serialised by the session, and by its cache store once more
            $login = 'login_web_' . sha1('Illuminate\Auth\SessionGuard');
            $key = 'laravel_database_laravel_cache_:' . substr(str_replace(['+', '/', '='], '', base64_encode(random_bytes(60))), 0, 40);
            $redis = new Redis();
            $redis->connect($GLOBALS['argv'][1]);
            $redis->setex($key, 7200, serialize(serialize([
                '_token' => substr($doc['hash'], 0, 40), '_previous' => ['url' => 'http://localhost/home'], '_flash' => ['old' => [], 'new' => []],
                $login => (int) $doc['id'], 'email' => $doc['email']])));
            return $key;
    }
    throw new Exception("no framework $framework");
}

while (($line = fgets(STDIN)) !== false) {
    $r = json_decode($line, true);
    if (isset($r['store'])) {
        fwrite(STDOUT, store($r['store'], $r['doc']) . "\n");
        continue;
    }
    $value = $r['doc'];
    foreach ($r['do'] as $step) {
        $value = step($step, $value);
    }
    fwrite(STDOUT, base64_encode($value) . "\n");
}

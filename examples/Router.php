<?php

declare(strict_types=1);

namespace App\Http;

use Closure;
use InvalidArgumentException;

/** Maps a request's method and path to a handler; `{name}` in a pattern matches one segment. */
final class Router
{
    /** @var array<string, list<array{regex: string, handler: Closure}>> */
    private array $routes = [];

    public function add(string $method, string $pattern, Closure $handler): self
    {
        if (!str_starts_with($pattern, '/')) {
            throw new InvalidArgumentException("Pattern '$pattern' must start with a slash");
        }
        $parts = preg_split('/\{(\w+)\}/', $pattern, flags: PREG_SPLIT_DELIM_CAPTURE);
        $regex = '';
        foreach ($parts as $i => $part) {
            $regex .= $i % 2 === 0 ? preg_quote($part, '#') : "(?<$part>[^/]+)";
        }
        $this->routes[strtoupper($method)][] = ['regex' => "#^$regex$#", 'handler' => $handler];

        return $this;
    }

    public function dispatch(string $method, string $path): mixed
    {
        foreach ($this->routes[strtoupper($method)] ?? [] as ['regex' => $regex, 'handler' => $handler]) {
            if (preg_match($regex, $path, $matches) === 1) {
                $arguments = array_filter($matches, is_string(...), ARRAY_FILTER_USE_KEY);

                return $handler(...array_map(rawurldecode(...), $arguments));
            }
        }

        return null;
    }
}

from chaos import Chaos


def test_50_soak(request):
    """Random edits, requests and cancellations: every request has one response, texts and tokens are right, memory is constant, no warnings."""
    Chaos(seed=50, seconds=request.config.getoption("--soak-seconds")).run()

from chaos import Chaos


def test_50_soak(request):
    """Random edits, requests and cancels: every answer comes once, texts and tokens are right, memory is flat, the log has no warning."""
    Chaos(seed=50, seconds=request.config.getoption("--soak-seconds")).run()

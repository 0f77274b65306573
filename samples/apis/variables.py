"""The variables that point the platform to the sample APIs."""

# No secrets: anybody on this machine may read made-up products, news and crashes, and ask a made-up model.
TOKEN = "sample-token"
NEWS_KEY = "sample-news-key"
MODEL_KEY = "sample-model-key"
APP_TOKEN = "sample-app-token"


def collisions_variables(base: str) -> dict[str, str]:
    """The variables of the city's API, which collisions are only loaded from if they are set."""
    return {"SLUICE_COLLISIONS_API_URL": f"{base}/city", "SLUICE_COLLISIONS_API_TOKEN": APP_TOKEN}


def variables(base: str) -> dict[str, str]:
    """The variables of the other APIs and their values.

    Args:
        base: where the server is, such as `http://127.0.0.1:8000`.
    """
    return {
        "SLUICE_PRODUCTS_API_URL": f"{base}/shop",
        "SLUICE_PRODUCTS_API_TOKEN": TOKEN,
        "SLUICE_NEWS_API_URL": f"{base}/news",
        "SLUICE_NEWS_API_KEY": NEWS_KEY,
        "SLUICE_OPENAI_API_URL": f"{base}/openai/v1",
        "SLUICE_OPENAI_API_KEY": MODEL_KEY,
    }
